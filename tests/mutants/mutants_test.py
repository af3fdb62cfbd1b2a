#!/usr/bin/python3
"""Each mutant says what it must say and applies to the present tree. That it is killed, run.py shows; it takes a build for each."""

import pathlib
import tempfile
import unittest

import mutant
import run

HEAD = "Breaks: a rule\nBuild: crema\nFails: ^storage:\n"
DIFF = "\ndiff --git a/x.txt b/x.txt\n--- a/x.txt\n+++ b/x.txt\n@@ -1 +1 @@\n-one\n+two\n"


class Mutants(unittest.TestCase):
    def test_each_patch_applies(self):
        self.assertTrue(mutant.files())
        for file in mutant.files():
            with self.subTest(file.name):
                one = mutant.read(file)
                self.assertIsNone(mutant.git_apply(file, mutant.REPOSITORY, "--check"))
                if one.pytest is not None:
                    self.assertTrue((mutant.REPOSITORY / one.pytest[0]).exists(), one.pytest[0])


class Canaries(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)

    def written(self, name, text):
        file = self.directory / name
        file.write_text(text)
        return file

    def test_a_mutant_is_read(self):
        one = mutant.read(self.written("a.patch", HEAD.replace("^storage:", "pytest tests/contract/test_x.py -k 'one or two'") + DIFF))
        self.assertEqual((one.name, one.breaks, one.targets, one.pytest, one.ctest),
                         ("a", "a rule", ["crema"], ["tests/contract/test_x.py", "-k", "one or two"], None))
        self.assertEqual(mutant.read(self.written("b.patch", HEAD + DIFF)).ctest, "^storage:")

    def test_what_is_missing_is_an_error(self):
        for text in [DIFF, HEAD + "\n", HEAD.replace("Build: crema\n", "") + DIFF, HEAD.replace("a rule", " ") + DIFF, HEAD + "More: x\n" + DIFF,
                     HEAD.replace("^storage:", "pytest ") + DIFF]:
            with self.assertRaises(mutant.MutantError, msg=text):
                mutant.read(self.written("a.patch", text))

    def test_a_patch_that_does_not_apply_is_found(self):
        file = self.written("a.patch", HEAD + DIFF)
        self.assertIsNotNone(mutant.git_apply(file, self.directory, "--check"))
        self.written("x.txt", "one\n")
        self.assertIsNone(mutant.git_apply(file, self.directory, "--check"))
        self.assertIsNone(mutant.git_apply(file, self.directory))
        self.assertEqual((self.directory / "x.txt").read_text(), "two\n")

    def test_a_copy_follows_its_source_and_keeps_times(self):
        source, copy = self.directory / "source", self.directory / "copy"
        (source / "sub").mkdir(parents=True)
        (source / "build").mkdir()
        (source / "sub" / "same").write_text("1")
        (source / "sub" / "changed").write_text("1")
        (source / "gone").write_text("1")
        run.sync(source, copy)
        self.assertFalse((copy / "build").exists())
        (copy / "build").mkdir()
        before = (copy / "sub" / "same").stat().st_mtime_ns
        (source / "gone").unlink()
        (copy / "sub" / "changed").write_text("mutated")
        run.sync(source, copy)
        self.assertEqual((copy / "sub" / "changed").read_text(), "1")
        self.assertEqual((copy / "sub" / "same").stat().st_mtime_ns, before)
        self.assertFalse((copy / "gone").exists())
        self.assertTrue((copy / "build").exists())


if __name__ == "__main__":
    unittest.main()
