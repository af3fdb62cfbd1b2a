from suite.machine import cpu_model, file_system, memory_gib

MOUNTS = """\
/dev/vda / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /tmpfiles xfs rw 0 0
"""


def test_the_file_system_is_that_of_the_nearest_mount():
    assert file_system(MOUNTS, "/tmp/bench") == "tmpfs"
    assert file_system(MOUNTS, "/tmpfiles") == "xfs"
    assert file_system(MOUNTS, "/tmpother/bench") == "ext4"


def test_processor_and_memory():
    assert cpu_model("processor : 0\nmodel name\t: Fast CPU 3000\n") == "Fast CPU 3000"
    assert cpu_model("") == "unknown"
    assert memory_gib("MemTotal:       16777216 kB\nMemFree: 1 kB\n") == 16
