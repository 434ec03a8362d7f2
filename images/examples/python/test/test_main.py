"""Unit tests, without a container: `gdo dapp test` runs them, and so does `python3 -m unittest discover test`."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "app"))

from dapp import Refusal, fold  # noqa: E402
from main import DAPP, command_use, test  # noqa: E402


class Memory(dict):
    """A state that is a dictionary."""


def entry(number, by, *acts, rights=("append",)):
    return {"id": str(number), "principal": by, "rights": rights, "acts": acts}


class Quota(unittest.TestCase):
    def test_no_more_than_the_limit(self):
        entries = [entry(1, "ada", ["use", {"amount": 60}]), entry(2, "ada", ["use", {"amount": 60}])]
        result = fold(entries, Memory(), DAPP["acts"])
        self.assertEqual(result["outcomes"][1]["void"], "use: ada has used 60 of 100")
        self.assertEqual(result["changes"], [("used/ada", 60)])

    def test_a_limit_below_what_is_used_is_found(self):
        after = Memory({"used/ada": 5, "limit/ada": 4})
        found = list(test([entry(1, "office", ["limit", {"member": "ada", "max": 4}])], Memory(), after))
        self.assertEqual(found, ["ada has used 5 of 4"])

    def test_a_command_that_asks_too_much_is_refused(self):
        with self.assertRaisesRegex(Refusal, "you have used 99 of 100"):
            command_use({"amount": 2}, {"principal": "ada"}, Memory({"used/ada": 99}))


if __name__ == "__main__":
    unittest.main()
