"""The process that sqlc starts: a request on standard input, the files on standard output."""

from __future__ import annotations

import sys
from base64 import b64encode

from pydantic import ValidationError

from tools.sqlc_plugin.package import Refused
from tools.sqlc_plugin.render import render
from tools.sqlc_plugin.request import CodeGenRequest, CodeGenResponse, File
from tools.sqlc_plugin.resolve import resolve


def main() -> int:
    source = CodeGenRequest.model_validate_json(sys.stdin.buffer.read())
    try:
        files = render(resolve(source))
    except (Refused, ValidationError) as refusal:
        print("", refusal, sep="\n", file=sys.stderr)  # sqlc writes a prefix before it
        return 1
    answer = CodeGenResponse(files=[File(name=name, contents=b64encode(text.encode())) for name, text in files.items()])
    print(answer.model_dump_json())
    return 0
