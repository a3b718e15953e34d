"""Writes `models.py`, one class per definition of the bundle, by datamodel-code-generator."""

from __future__ import annotations

import ast
import json
import re

from datamodel_code_generator import InputFileType, PythonVersion, generate
from datamodel_code_generator.enums import DataModelType

from tools.contract.bundle import WIRE_TYPES, Bundle, Json
from tools.contract.scalars import scalars_package
from tools.contract.table import Contract
from tools.contract.texts import texts_package

_MEMBER = re.compile(r"^    \w+ = (['\"].*['\"])$", re.MULTILINE)
"""A member of an enum; a field of a model has an annotation."""


def models_module(contract: Contract, bundle: Bundle, header: str) -> str:
    """The source text, not yet formatted."""
    elsewhere = dict(bundle.wire_types)
    elsewhere |= {name: f"{scalars_package(contract)}.{name}" for name in bundle.scalars}
    elsewhere |= {name: f"{texts_package(contract)}.{name}" for name in sorted(contract.plain_enums)}
    definitions: dict[str, Json] = {**bundle.definitions, **bundle.scalars}
    definitions |= {name: WIRE_TYPES[place] for name, place in bundle.wire_types.items()}
    schema: dict[str, Json] = {"$schema": "http://json-schema.org/draft-07/schema#", "$defs": definitions}
    code = generate(
        json.dumps(schema),
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        base_class="mcpp.ocppj.wire.WireModel",
        type_overrides=elsewhere,
        skip_root_model=True,
        snake_case_field=True,
        use_annotated=True,
        use_specialized_enum=True,
        use_standard_collections=True,
        use_union_operator=True,
        use_schema_description=True,
        use_single_line_docstring=True,
        custom_file_header=header,
        # An annotation that is a text would be compiled at every start: that takes half of an import.
        disable_future_imports=True,
        formatters=[],
    )
    assert isinstance(code, str)
    # The generator's own names split V2G and run EVConnected together with what follows.
    return _MEMBER.sub(lambda line: f"    {contract.member(ast.literal_eval(line[1]))} = {line[1]}", code)
