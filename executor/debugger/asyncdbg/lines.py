"""The names of source files, from the head of a line table."""

import os
import struct

from .forms import A_COMP_DIR, A_STMT_LIST, skip_form, text_at, uleb


def files_of(dwarf, unit):
    """{number: path}, for one compilation unit. Paths inside the workspace are short."""
    at, folder = unit.root.get(A_STMT_LIST), unit.root.get(A_COMP_DIR) or ""
    if at is None:
        return {}
    data, version = dwarf.line, struct.unpack_from("<H", dwarf.line, at + 4)[0]
    at += 12 if version >= 5 else 10  # length, version, (sizes,) length of the header
    at += 5  # how lines are counted
    at += data[at]  # the lengths of the standard opcodes
    folders, files = (_version_5 if version >= 5 else _version_4)(dwarf, data, at)
    paths = {}
    for number, (name, in_folder) in files.items():
        path = os.path.join(folders.get(in_folder, ""), name)
        paths[number] = os.path.relpath(path, folder) if path.startswith(folder + "/") else path
    return paths


def _version_4(dwarf, data, at):
    folders, files = {}, {}
    while data[at] != 0:
        text = text_at(data, at)
        folders[len(folders) + 1] = text
        at = data.find(b"\0", at) + 1
    at += 1
    while data[at] != 0:
        name = text_at(data, at)
        folder, at = uleb(data, data.find(b"\0", at) + 1)
        files[len(files) + 1] = name, folder
        _, at = uleb(data, at)
        _, at = uleb(data, at)
    return folders, files


def _version_5(dwarf, data, at):
    folders, at = _table(dwarf, data, at)
    files, _ = _table(dwarf, data, at)
    return {number: name for number, (name, _) in folders.items()}, files


def _table(dwarf, data, at):
    count, at, formats = data[at], at + 1, []
    for _ in range(count):
        what, at = uleb(data, at)
        form, at = uleb(data, at)
        formats.append((what, form))
    rows, table = uleb(data, at)[0], {}
    at = uleb(data, at)[1]
    for number in range(rows):
        name, folder = "?", 0
        for what, form in formats:
            if what == 1:
                name = _text(dwarf, data, at, form)
            elif what == 2:
                folder = uleb(data, at)[0] if form == 0x0F else data[at]
            at = skip_form(data, at, form)
        table[number] = name, folder
    return table, at


def _text(dwarf, data, at, form):
    if form == 0x08:
        return text_at(data, at)
    offset = int.from_bytes(data[at : at + 4], "little")
    return text_at(dwarf.line_str if form == 0x1F else dwarf.str, offset)
