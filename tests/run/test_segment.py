"""A segment gives back every whole frame and nothing else, whatever happened to the file."""

import errno
import os
import resource

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.run.segment import DamagedFrame, SegmentReader, SegmentWriter

NAME = "items-0.seg"


def values(count):
    return [{"item": f"item {number}", "text": f"{number} " * (number * 7 % 400)} for number in range(count)]


def write(folder, things):
    writer = SegmentWriter(folder / NAME)
    places = [writer.append(thing) for thing in things]
    writer.close()
    return places


def scan(folder, start=0):
    reader = SegmentReader(folder)
    found = [frame.value for frame in reader.scan(NAME, start)]
    reader.close()
    return found


def load(folder, place):
    reader = SegmentReader(folder)
    try:
        return reader.load(NAME, *place)
    finally:
        reader.close()


def test_what_is_appended_is_loaded_and_scanned(tmp_path):
    things = values(50)
    places = write(tmp_path, things)
    assert [load(tmp_path, place) for place in places] == things
    assert scan(tmp_path) == things
    assert scan(tmp_path, places[20][0]) == things[20:]


def test_a_reopened_segment_goes_on_at_its_end(tmp_path):
    write(tmp_path, values(3))
    write(tmp_path, [{"item": "later"}])
    assert scan(tmp_path) == [*values(3), {"item": "later"}]


@pytest.mark.parametrize(
    "text",
    ["\ud800 alone", "a\x00b", "\u2028 𝔘 漢", 2**70, -1.5e300],
    ids=["surrogate", "nul", "wide", "long", "float"],
)
def test_unusual_values_come_back_unchanged(tmp_path, text):
    (place,) = write(tmp_path, [{"item": text}])
    assert load(tmp_path, place) == {"item": text}


def test_cutting_the_file_anywhere_loses_only_the_frame_that_is_cut(tmp_path):
    things = values(4)
    places = write(tmp_path, things)
    whole = (tmp_path / NAME).read_bytes()
    for size in range(len(whole)):
        (tmp_path / NAME).write_bytes(whole[:size])
        assert scan(tmp_path) == [
            thing for thing, (at, length) in zip(things, places, strict=True) if at + length <= size
        ]


def test_flipping_any_byte_loses_only_its_own_frame(tmp_path):
    things = values(4)
    places = write(tmp_path, things)
    whole = (tmp_path / NAME).read_bytes()
    for position in range(len(whole)):
        (tmp_path / NAME).write_bytes(whole[:position] + bytes([whole[position] ^ 0x5A]) + whole[position + 1 :])
        hit = next(index for index, (at, length) in enumerate(places) if at <= position < at + length)
        assert scan(tmp_path) == things[:hit] + things[hit + 1 :]
        with pytest.raises(DamagedFrame):
            load(tmp_path, places[hit])


JUNK = {"nul": b"\0" * 4096, "json": b'{"id":', "magic": b"\xabAI\x01" * 3, "long": b"\xabAI\x01" + b"\xff" * 20}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
def test_frames_after_junk_are_found(tmp_path, junk):
    write(tmp_path, values(2))
    with (tmp_path / NAME).open("ab") as file:
        file.write(junk)
    write(tmp_path, [{"item": "after"}])
    assert scan(tmp_path) == [*values(2), {"item": "after"}]


def test_a_frame_across_the_search_block_is_found(tmp_path):
    (tmp_path / NAME).write_bytes(b"\0" * ((1 << 20) - 2 + 1))
    write(tmp_path, [{"item": "after"}])
    assert scan(tmp_path) == [{"item": "after"}]


@pytest.mark.parametrize("place", [(0, 5), (3, 40), (10**9, 40), (0, 0)])
def test_a_wrong_place_is_damage_not_data(tmp_path, place):
    write(tmp_path, values(3))
    with pytest.raises(DamagedFrame):
        load(tmp_path, place)


def test_a_missing_segment_is_damage(tmp_path):
    with pytest.raises(DamagedFrame):
        load(tmp_path, (0, 40))


def test_a_symlink_in_its_place_is_refused(tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="symbolic link"):
        SegmentWriter(tmp_path / NAME)


def test_a_fifo_in_its_place_is_refused(tmp_path):
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(RunError):
        SegmentWriter(tmp_path / NAME)


def test_only_the_owner_may_read_it(tmp_path):
    write(tmp_path, values(1))
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_a_write_cut_short_is_undone_and_the_next_one_works(tmp_path):
    things = values(5)
    writer = SegmentWriter(tmp_path / NAME)
    for thing in things:
        writer.append(thing)
    size = (tmp_path / NAME).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(RunError, match=r"items-0\.seg.*file-size limit"):
            writer.append({"item": "too much"})
        assert (tmp_path / NAME).stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.append({"item": "after"})
    writer.close()
    assert scan(tmp_path) == [*things, {"item": "after"}]


def test_a_half_frame_that_cannot_be_undone_closes_the_segment(tmp_path, monkeypatch):
    writer = SegmentWriter(tmp_path / NAME)
    writer.append({"item": "good"})
    real = os.write

    def full(handle, data):
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data[: len(data) - 19])

    def refuse(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(RunError, match="disk is full"):
        writer.append({"item": "half"})
    monkeypatch.undo()
    with pytest.raises(RunError):
        writer.append({"item": "never"})
    writer.close()
    assert scan(tmp_path) == [{"item": "good"}]
