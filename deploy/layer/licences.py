"""The licences of all that is shipped, in one file.

Owns its form. Must not know where the texts were found.
"""

from collections.abc import Sequence

from deploy.layer.distributions import Package

RULE = "=" * 78


def write_licences(packages: Sequence[Package]) -> str:
    """Return the file: a list of what is inside, then each text."""
    lines = ["This layer holds, under the licences that follow:", ""]
    lines += [f"  {each.name} {each.version}: {each.licence or 'see below'}" for each in packages]
    for each in packages:
        for name, text in each.texts:
            lines += ["", RULE, f"{each.name} {each.version}: {name}", RULE, "", text.rstrip()]
    return "\n".join(lines) + "\n"
