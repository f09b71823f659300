"""An example: a function with the extension and a URL that asks for IAM's signature.

    cdk deploy -c layer=../../dist/FILE.zip -c endpoint=https://collector:4318

Owns what `-c` sets; README.md says what that is.
"""

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from deploy.cdk import LoggerExtension, SecretHeader, header_from_secret
from deploy.cdk.layers import BUILD, LayerZip, read_zips

REPOSITORY = Path(__file__).resolve().parents[2]
# In a checkout; else as the wheel brings it.
HANDLERS = (REPOSITORY / "examples" / "hello", REPOSITORY / "logger_extension_cli/examples/hello")

DEFAULT_RUNTIME, DEFAULT_HEADER = "python3.14", "api-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `-c` sets.

    Attributes:
        layer_zips: what `logger-extension layer build` made; the function gets the runtime and
            architecture of the first.
        endpoint: the collector.
        secret_name: of the secret that is its API key; empty for none.
        header: which header takes that.
        is_public: whether anyone may call the function.
    """

    layer_zips: tuple[str, ...]
    endpoint: str
    secret_name: str = ""
    header: str = DEFAULT_HEADER
    is_public: bool = False

    @classmethod
    def read(cls, app: cdk.App) -> "Settings":
        """Read the context of an app.

        Raises:
            ValueError: a value is missing or not known; the message says what to set.
        """
        layer, endpoint, secret, header, public = (
            app.node.try_get_context(name)
            for name in ("layer", "endpoint", "secret", "header", "public")
        )
        if not layer:
            raise ValueError(f"say where the layer is: cdk deploy -c layer=FILE; {BUILD}")
        if not endpoint:
            raise ValueError("say where the collector is: cdk deploy -c endpoint=URL")
        if public not in (None, "true", "false"):
            raise ValueError("-c public= takes true or false")
        return cls(
            layer_zips=tuple(layer.split(",")),
            endpoint=endpoint,
            secret_name=secret or "",
            header=header or DEFAULT_HEADER,
            is_public=public == "true",
        )


class HelloStack(cdk.Stack):
    """The function, its log group, role and URL, and the extension on it."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id)
        function = self._make_function(read_zips(settings.layer_zips)[0])
        LoggerExtension(
            self,
            "Telemetry",
            layer_zips=settings.layer_zips,
            endpoint=settings.endpoint,
            headers=self._make_headers(settings),
        ).attach(function)
        self._make_url(function, is_public=settings.is_public)

    def _make_headers(self, settings: Settings) -> dict[str, str | SecretHeader]:
        if not settings.secret_name:
            return {}
        secret = secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", settings.secret_name)
        return {settings.header: header_from_secret(secret)}

    def _make_function(self, layer: LayerZip) -> lambda_.Function:
        log_group = logs.LogGroup(
            self,
            "Log",
            retention=logs.RetentionDays.ONE_WEEK,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        return lambda_.Function(
            self,
            "Hello",
            runtime=lambda_.Runtime(layer.runtime or DEFAULT_RUNTIME),
            architecture=lambda_.Architecture.custom(layer.architecture),
            handler="app.handler",
            code=lambda_.Code.from_asset(
                str(next(each for each in HANDLERS if each.is_dir())), exclude=["__pycache__"]
            ),
            role=role,
            log_group=log_group,
            memory_size=256,
            timeout=cdk.Duration.seconds(10),
        )

    def _make_url(self, function: lambda_.Function, *, is_public: bool) -> None:
        auth = lambda_.FunctionUrlAuthType
        url = function.add_function_url(auth_type=auth.NONE if is_public else auth.AWS_IAM)
        if is_public:
            cdk.Annotations.of(function).add_warning_v2(
                "logger-extension:public-url",
                "anyone may call the function: leave out -c public=true to ask for IAM's signature",
            )
        cdk.CfnOutput(self, "Url", value=url.url, description="Where the function answers.")
        cdk.CfnOutput(self, "FunctionName", value=function.function_name)


def main() -> None:
    """Synthesize the app; what cannot be used is one line."""
    app = cdk.App()
    try:
        HelloStack(app, "LoggerExtensionHello", Settings.read(app))
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
    app.synth()


if __name__ == "__main__":
    main()
