#!/usr/bin/env python3
"""Writes unicode_tables.inc: what Python's str methods know of each code point, as compact sorted tables.

Run from src/jinja: tools/make_unicode_tables.py > unicode_tables.inc
"""
import re
import sys
import unicodedata

FLAGS = ["alpha", "decimal", "digit", "numeric", "space", "printable", "lower", "upper", "title",
         "name_start", "name_part", "cased", "case_ignorable", "word"]
WORD = re.compile(r"\w")


def case_ignorable(c):
    return unicodedata.category(c) in ("Mn", "Me", "Cf", "Lm", "Sk") or c in "'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a"


def flags_of(code):
    c = chr(code)
    tests = [c.isalpha(), c.isdecimal(), c.isdigit(), c.isnumeric(), c.isspace(), c.isprintable(), c.islower(),
             c.isupper(), c.istitle() and not c.isupper(), c.isidentifier(), ("a" + c).isidentifier(),
             c.islower() or c.isupper() or c.istitle(), case_ignorable(c), bool(WORD.match(c))]
    return sum(1 << i for i, test in enumerate(tests) if test)


def rows(items, per_row):
    for i in range(0, len(items), per_row):
        print("    " + " ".join(items[i:i + per_row]))


def main():
    print("// Made by tools/make_unicode_tables.py from Python %d.%d (Unicode %s); do not edit." %
          (*sys.version_info[:2], unicodedata.unidata_version))
    print("// clang-format off")
    print("enum : std::uint16_t {")
    for i, name in enumerate(FLAGS):
        print(f"  k_{name} = {1 << i},")
    print("};")
    runs, last = [], None
    for code in range(0x110000):
        flags = 0 if 0xD800 <= code < 0xE000 else flags_of(code)
        if flags != last:
            runs.append("{0x%x,%d}," % (code, flags))
            last = flags
    print(f"constexpr Run kRuns[{len(runs)}] = {{")
    rows(runs, 9)
    print("};")
    for name in ("lower", "upper", "title"):
        single, several = [], []
        for code in range(0x80, 0x110000):
            if 0xD800 <= code < 0xE000:
                continue
            mapped = getattr(chr(code), name)()
            if mapped == chr(code):
                continue
            if len(mapped) == 1:
                single.append("{0x%x,0x%x}," % (code, ord(mapped)))
            else:
                points = [ord(c) for c in mapped] + [0] * (3 - len(mapped))
                several.append("{0x%x,{0x%x,0x%x,0x%x}}," % (code, *points))
        print(f"constexpr Mapping k_{name}_single[{len(single)}] = {{")
        rows(single, 8)
        print("};")
        print(f"constexpr LongMapping k_{name}_several[{len(several)}] = {{")
        rows(several, 4)
        print("};")
    zeros = ["0x%x," % code for code in range(0x110000) if chr(code).isdecimal() and unicodedata.decimal(chr(code)) == 0]
    print(f"constexpr char32_t kZeros[{len(zeros)}] = {{")
    rows(zeros, 16)
    print("};")
    print("// clang-format on")


main()
