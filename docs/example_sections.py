"""For the reference: docstrings say "Example:", mkdocstrings' parser knows "Examples:" alone."""

from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Renames the section, so that what is run is shown as code."""

    def on_object(self, *, obj: griffe.Object, **options: Any) -> None:
        """Called with each object that is documented."""
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
