/** What `core_tests --digest` prints on every processor and with every kernel, after the kernel's name [N2]. */
export const NATIVE_DIGEST = "b4e14d0b1850f9a0d73885f31fa906537454b19adef77d4af7436303b15d3f68";
