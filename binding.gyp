{
  # npm builds the addon in its own install step because this file exists. CMakeLists.txt is the only
  # list of sources: the one target here compiles nothing itself. The output is never made, so that
  # the action always runs and CMake alone decides what is out of date.
  "targets": [
    {
      "target_name": "native",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake_js_compile",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["<(INTERMEDIATE_DIR)/never-made"],
          "action": ["node", "node_modules/cmake-js/bin/cmake-js", "compile", "--out", "build/cmake"]
        }
      ]
    }
  ]
}
