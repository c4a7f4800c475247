#!/usr/bin/env python3
"""Writes Sources/Screens/CharacterWidthTable.swift from the C library's wcwidth (run on the Debian that is shipped for).

Only two lists are kept, wide and combining; everything else is one column. Gaps of unassigned code points between two
ranges of the same kind are closed, so the table stays short.
"""
import ctypes
import locale
import sys

locale.setlocale(locale.LC_ALL, "C.UTF-8")
libc = ctypes.CDLL(None)
libc.wcwidth.argtypes = [ctypes.c_wchar]
width = {c: libc.wcwidth(chr(c)) for c in range(0xA0, 0x110000) if not 0xD800 <= c <= 0xDFFF}


def ranges(wanted):
    out = []
    for c, w in width.items():
        if w == wanted:
            if out and all(width.get(x, -1) in (wanted, -1) for x in range(out[-1][1] + 1, c)):
                out[-1][1] = c
            else:
                out.append([c, c])
    return out


def emit(name, what, rows):
    flat = [f"0x{a:X}, 0x{b:X}," for a, b in rows]
    lines, line = [], "       "
    for item in flat:
        if len(line) + 1 + len(item) > 118:
            lines.append(line)
            line = "       "
        line += " " + item
    lines.append(line)
    return f"    /// {what}: first and last of each range, in order.\n    static let {name}: [UInt32] = [\n" + "\n".join(lines) + "\n    ]\n"


with open(sys.argv[1], "w") as f:
    f.write("// Written by Tests/ScreensTests/make-width-table.py from the C library's tables. Do not edit.\n\n")
    f.write("enum CharacterWidthTable {\n")
    f.write(emit("wide", "Characters that take two columns", ranges(2)))
    f.write("\n")
    f.write(emit("combining", "Characters that take none", ranges(0)))
    f.write("}\n")
