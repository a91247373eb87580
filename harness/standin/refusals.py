"""The ErrorRecords with which PowerShell itself refuses a call, before any cmdlet runs."""

from __future__ import annotations

from dataclasses import dataclass

from harness.standin.api import ErrorRecord, Terminated
from harness.standin.definition import Definition

_BASES = ("System.SystemException", "System.Exception", "System.Object")
_RUNTIME = ("System.Management.Automation.RuntimeException", *_BASES)
BINDING = ("System.Management.Automation.ParameterBindingException", *_RUNTIME)
VALIDATION = ("System.Management.Automation.ParameterBindingValidationException", *BINDING)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call could not be bound: the id's first half, the sentence, and the parameter."""

    error_id: str
    message: str
    category: str = "InvalidArgument"
    types: tuple[str, ...] = BINDING


def binding_record(definition: Definition, refusal: Refusal) -> ErrorRecord:
    """Return the record that PowerShell writes for a call that it could not bind."""
    return ErrorRecord(
        fqid=f"{refusal.error_id},{definition.type_name}",
        category=refusal.category,
        exception_types=refusal.types,
        message=refusal.message,
        activity=definition.name,
        reason=refusal.types[0].rpartition(".")[2],
    )


def refused(definition: Definition, refusal: Refusal) -> Terminated:
    """Return the terminating error for a call that could not be bound."""
    return Terminated(binding_record(definition, refusal))


def parameter_unknown(name: str) -> Refusal:
    """Refuse a name that is no parameter's."""
    return Refusal(
        "NamedParameterNotFound",
        f"A parameter cannot be found that matches parameter name '{name}'.",
    )


def parameter_ambiguous(name: str, possible: list[str]) -> Refusal:
    """Refuse a prefix that fits several parameters."""
    listed = "".join(f" -{p}" for p in possible)
    return Refusal(
        "AmbiguousParameter",
        f"Parameter cannot be processed because the parameter name '{name}' is ambiguous."
        f" Possible matches include:{listed}.",
    )


def parameter_twice(name: str) -> Refusal:
    """Refuse one parameter given twice."""
    return Refusal(
        "ParameterAlreadyBound",
        f"Cannot bind parameter because parameter '{name}' is specified more than once. To"
        " provide multiple values to parameters that can accept multiple values, use the array"
        ' syntax. For example, "-parameter value1,value2,value3".',
    )


def argument_missing(name: str, type_name: str) -> Refusal:
    """Refuse a parameter at the end of a command, without its argument."""
    return Refusal(
        "MissingArgument",
        f"Missing an argument for parameter '{name}'. Specify a parameter of type '{type_name}'"
        " and try again.",
    )


def position_unknown(shown: str) -> Refusal:
    """Refuse an argument that no position takes."""
    return Refusal(
        "PositionalParameterNotFound",
        f"A positional parameter cannot be found that accepts argument '{shown}'.",
    )


def mandatory_missing(names: list[str]) -> Refusal:
    """Refuse a call without mandatory parameters: the host cannot ask for them."""
    return Refusal(
        "MissingMandatoryParameter",
        "Cannot process command because of one or more missing mandatory parameters:"
        f" {' '.join(names)}.",
    )


SET_AMBIGUOUS = Refusal(
    "AmbiguousParameterSet",
    "Parameter set cannot be resolved using the specified named parameters.",
)
INPUT_NOT_BOUND = Refusal(
    "InputObjectNotBound",
    "The input object cannot be bound to any parameters for the command either because the command"
    " does not take pipeline input or the input and its properties do not match any of the"
    " parameters that take pipeline input.",
)


def input_incomplete(names: list[str]) -> Refusal:
    """Refuse a record that leaves mandatory parameters without a value."""
    return Refusal(
        "InputObjectMissingMandatory",
        "The input object cannot be bound because it did not contain the information required to"
        f" bind all mandatory parameters:  {' '.join(names)}",
    )


def not_convertible(name: str, reason: str, error_id: str) -> Refusal:
    """Refuse an argument that does not become the parameter's type."""
    return Refusal(error_id, f"Cannot bind parameter '{name}'. {reason}")


def not_valid(name: str, reason: str) -> Refusal:
    """Refuse an argument that a validation attribute rejects."""
    return Refusal(
        "ParameterArgumentValidationError",
        f"Cannot validate argument on parameter '{name}'. {reason}",
        "InvalidData",
        VALIDATION,
    )


def empty_not_allowed(name: str, what: str, suffix: str) -> Refusal:
    """Refuse null or emptiness for a mandatory parameter; ``suffix`` ends the error's id."""
    return Refusal(
        f"ParameterArgumentValidationError{suffix}",
        f"Cannot bind argument to parameter '{name}' because it is {what}.",
        "InvalidData",
        VALIDATION,
    )


def command_unknown(name: str) -> Terminated:
    """Return the error for a name that is no command of this host."""
    return Terminated(
        ErrorRecord(
            fqid="CommandNotFoundException",
            category="ObjectNotFound",
            exception_types=(
                "System.Management.Automation.CommandNotFoundException",
                *_RUNTIME,
            ),
            message=f"The term '{name}' is not recognized as the name of a cmdlet, function, script"
            " file, or operable program. Check the spelling of the name, or if a path was included,"
            " verify that the path is correct and try again.",
            reason="CommandNotFoundException",
            target_name=name,
            target_type="String",
        )
    )


def not_played(definition: Definition) -> Terminated:
    """Return the error for a cmdlet that the real host has and this stand-in does not play."""
    return Terminated(
        ErrorRecord(
            fqid="NotImplemented,HvcertStandIn",
            category="NotImplemented",
            exception_types=("System.NotImplementedException", *_BASES),
            message=f"{definition.name} exists on this release of Windows Server, but the stand-in"
            " host does not play it.",
            activity=definition.name,
            reason="NotImplementedException",
        )
    )


def cannot_prompt(definition: Definition) -> Terminated:
    """Return the error for a confirmation that nobody is there to give."""
    return Terminated(
        ErrorRecord(
            fqid=f"InvalidOperation,{definition.type_name}",
            category="InvalidOperation",
            exception_types=(
                "System.Management.Automation.PSInvalidOperationException",
                "System.InvalidOperationException",
                *_BASES,
            ),
            message="Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is"
            " not available.",
            activity=definition.name,
            reason="PSInvalidOperationException",
        )
    )


def parse_failed(error_id: str, message: str) -> Terminated:
    """Return the error for text that is no PowerShell, or more of it than the stand-in runs."""
    return Terminated(
        ErrorRecord(
            fqid=error_id,
            category="ParserError",
            exception_types=("System.Management.Automation.ParseException", *_RUNTIME),
            message=message,
            reason="ParseException",
        )
    )


def runtime_failed(error_id: str, message: str, category: str = "InvalidOperation") -> Terminated:
    """Return a RuntimeException's error, e.g. of ``throw``."""
    return Terminated(ErrorRecord(error_id, category, _RUNTIME, message, reason="RuntimeException"))
