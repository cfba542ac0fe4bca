"""Functions that are imported when they are first asked for: from a module to the names in it.

`import workbench` stays quick, and what few programs use costs nothing.
"""

FAMILIES: dict[str, tuple[str, ...]] = {
    "workbench.core.ops.extra_elementwise": (
        "reciprocal",
        "deg2rad",
        "rad2deg",
        "hypot",
        "logaddexp",
        "isclose",
    ),
}

LATER = {name: module for module, names in FAMILIES.items() for name in names}
