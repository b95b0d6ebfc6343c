"""Checks that an answer is FHIR, with models that were not written here.

`fhir.resources` has no 4.0.1 models any more; for the resource types used in these
tests its R4B (4.3.0) models are the same.

    answers.py FILE

checks a file with one answer, as JSON, on every line.
"""

import importlib
import json
import sys
from decimal import Decimal


def check(resource):
    """Raises when the resource, or one inside a Bundle, does not parse."""
    kind = resource["resourceType"]
    module = importlib.import_module(f"fhir.resources.R4B.{kind.lower()}")
    getattr(module, kind).model_validate(resource)


def check_text(text):
    """Parses an answer's body, checks it and returns it."""
    resource = json.loads(text, parse_float=Decimal)
    check(resource)
    return resource


def main(path):
    count = 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            check_text(line)
            count += 1
    if count == 0:
        raise SystemExit(f"{path}: no answers recorded")
    print(f"{count} answers are FHIR")


if __name__ == "__main__":
    main(sys.argv[1])
