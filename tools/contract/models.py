"""Writes `models.py`, one class per definition of the bundle, by datamodel-code-generator."""

from __future__ import annotations

import json

from datamodel_code_generator import InputFileType, PythonVersion, generate
from datamodel_code_generator.enums import DataModelType

from tools.contract.bundle import WIRE_TYPES, Json
from tools.contract.table import Contract
from tools.contract.texts import texts_package


def models_module(contract: Contract, bundle: dict[str, Json], header: str) -> str:
    """The source text, not yet formatted."""
    elsewhere = {name: f"mcpp.ocppj.wire.{name}" for name in WIRE_TYPES}
    elsewhere |= {name: f"{texts_package(contract)}.{name}" for name in sorted(contract.plain_enums)}
    code = generate(
        json.dumps(bundle),
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        base_class="mcpp.ocppj.wire.WireModel",
        type_overrides=elsewhere,
        skip_root_model=True,
        snake_case_field=True,
        use_annotated=True,
        capitalise_enum_members=True,
        use_specialized_enum=True,
        use_standard_collections=True,
        use_union_operator=True,
        use_schema_description=True,
        use_single_line_docstring=True,
        custom_file_header=header,
        formatters=[],
    )
    assert isinstance(code, str)
    return code
