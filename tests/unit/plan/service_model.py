"""Requests and answers held against DynamoDB's own service model, as botocore carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator


def service_model() -> ServiceModel:
    """The model of the version that is installed."""
    return ServiceModel(create_loader().load_service_model("dynamodb", "service-2"))


def report(operation: str, parameters: Mapping[str, Any]) -> str:
    """What is wrong with the parameters of a call; empty where nothing is."""
    shape = service_model().operation_model(operation).input_shape
    assert shape is not None
    return str(ParamValidator().validate(dict(parameters), shape).generate_report())


def parsed(operation: str, body: bytes) -> Mapping[str, Any]:
    """An answer as botocore reads it: what the model does not know is dropped."""
    shape = service_model().operation_model(operation).output_shape
    assert shape is not None
    answer: dict[str, Any] = create_parser("json").parse({"body": body, "headers": {}, "status_code": 200}, shape)
    del answer["ResponseMetadata"]
    return answer
