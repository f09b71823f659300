"""The extension for apps of AWS's CDK: one construct, for one function or for all of an app.

    properties.py  what can be set, with types; the same names as deploy/parameters.py
    headers.py     header values that are secrets
    layers.py      the zips that `logger-extension layer build` made, and which one fits
    references.py  what the values refer to in the app, and who can
    function.py    what a function already is and has, and what can be put on it
    construct.py   LoggerExtension: puts layer, variables and permissions on a function
    aspect.py      the same for every function of a scope
    app.py         an example

What variables and permissions come of the properties is deploy/environment.py's, as for SAM and
Terraform. Imports nothing of the extension; needs the `deploy` extra and Node.js.
"""

from deploy.cdk.construct import LoggerExtension
from deploy.cdk.headers import SecretHeader, header_from_parameter, header_from_secret

__all__ = ["LoggerExtension", "SecretHeader", "header_from_parameter", "header_from_secret"]
