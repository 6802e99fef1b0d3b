"""Unpacks the chosen members of one wheel into a folder, and nothing outside it.

    python unpack.py ARCHIVE FOLDER '[["^tensorflow/lib(.*)$", "lib/\\\\1"], ...]'

Each rule is a regular expression for a member's whole name and the path to give it; the first that fits counts, and a
member that none fits is left out. Prints `unpacked BYTES OF TOTAL` as it goes and `members N` at the end. Exits 1, with
a reason on standard error, at a member that would leave the folder, is a link, or is not what its checksum says.
"""
import json
import os
import re
import stat
import sys
import zipfile

PIECE = 1 << 22


def chosen(archive, rules):
    """Pairs (member, path) of the members that a rule fits; refuses names that are not plain relative paths."""
    for member in archive.infolist():
        if member.is_dir():
            continue
        for pattern, path in rules:
            match = re.fullmatch(pattern, member.filename)
            if match is None:
                continue
            target = match.expand(path)
            parts = target.split("/")
            if target.startswith("/") or "\\" in target or "" in parts or "." in parts or ".." in parts:
                raise ValueError(f"the member {member.filename!r} would be written outside the folder, at {target!r}")
            if stat.S_ISLNK(member.external_attr >> 16):
                raise ValueError(f"the member {member.filename!r} is a link; only plain files are unpacked")
            yield member, target
            break


def main(source, folder, rules):
    with zipfile.ZipFile(source) as archive:
        members = list(chosen(archive, rules))
        total = sum(member.file_size for member, _ in members)
        done = 0
        for member, target in members:
            place = os.path.join(folder, *target.split("/"))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with archive.open(member) as reader, open(place, "wb") as writer:
                while True:
                    piece = reader.read(PIECE)
                    if not piece:
                        break
                    writer.write(piece)
                    done += len(piece)
                    print(f"unpacked {done} of {total}", flush=True)
            os.chmod(place, 0o755 if member.external_attr >> 16 & 0o111 else 0o644)
        print(f"members {len(members)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
    except (ValueError, OSError, zipfile.BadZipFile) as problem:
        sys.exit(f"{os.path.basename(sys.argv[1])}: {problem}")
