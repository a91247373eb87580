"""The records of a pipeline's other streams, as PSRP messages carry them.

Property names and types are those of [MS-PSRP] 2.2.3.15 (ErrorRecord), 2.2.3.16 (informational
records), 2.2.2.25 (progress) and 2.2.2.21 (state).
"""

from __future__ import annotations

from harness.standin.api import ERROR_CATEGORIES, ErrorRecord
from harness.standin.clixml import Writer, escape
from harness.standin.values import EnumValue, Int64, Value

_AUTOMATION = "System.Management.Automation"
_COLLECTIONS = "System.Collections.ObjectModel"
_RUNTIME = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_ERROR = (f"{_AUTOMATION}.ErrorRecord", "System.Object")
_BOUND = (
    f"{_AUTOMATION}.PSBoundParametersDictionary",
    f"System.Collections.Generic.Dictionary`2[[System.String, {_RUNTIME}],"
    f"[System.Object, {_RUNTIME}]]",
    "System.Object",
)
_UNBOUND = (f"System.Collections.Generic.List`1[[System.Object, {_RUNTIME}]]", "System.Object")
_ITERATION = (f"{_COLLECTIONS}.ReadOnlyCollection`1[[System.Int32, {_RUNTIME}]]", "System.Object")
_NO_DATA = ("System.Collections.ListDictionaryInternal", "System.Object")
_HRESULT = -2146233087  # COR_E_EXCEPTION, what most managed exceptions carry
_STOPPED = ErrorRecord(
    fqid="PipelineStopped",
    category="OperationStopped",
    exception_types=(
        f"{_AUTOMATION}.PipelineStoppedException",
        f"{_AUTOMATION}.RuntimeException",
        "System.SystemException",
        "System.Exception",
        "System.Object",
    ),
    message="The pipeline has been stopped.",
    reason="PipelineStoppedException",
)


def error_record(record: ErrorRecord, writer: Writer, name: str = "") -> str:
    """Return an ErrorRecord, with the InvocationInfo of the cmdlet that wrote it."""
    start = writer.opening(_ERROR, name)
    text = f"<ToString>{escape(record.message)}</ToString>"
    exception = _exception(record, writer)
    facts = _properties(
        writer,
        TargetObject=record.target_name or None,
        FullyQualifiedErrorId=record.fqid,
        InvocationInfo=None,
        ErrorCategory_Category=ERROR_CATEGORIES.index(record.category),
        ErrorCategory_Activity=record.activity,
        ErrorCategory_Reason=_reason(record),
        ErrorCategory_TargetName=record.target_name,
        ErrorCategory_TargetType=record.target_type,
        ErrorCategory_Message=_category_message(record),
        SerializeExtendedInfo=bool(record.activity),
    )
    extended = _invocation(record.activity, writer) if record.activity else ""
    iteration = _iteration("PipelineIterationInfo", writer) if record.activity else ""
    return f"{start}{text}<MS>{exception}{facts}{extended}{iteration}</MS></Obj>"


def _properties(writer: Writer, **values: Value) -> str:
    return "".join([writer.value(value, name) for name, value in values.items()])


def _reason(record: ErrorRecord) -> str:
    return record.reason or record.exception_types[0].rpartition(".")[2]


def _category_message(record: ErrorRecord) -> str:
    """Return e.g. ``ObjectNotFound: (x:String) [Get-VM], VirtualizationException``."""
    target = f"{record.target_name}:{record.target_type}" if record.target_type else ":"
    return f"{record.category}: ({target}) [{record.activity}], {_reason(record)}"


def _exception(record: ErrorRecord, writer: Writer) -> str:
    start = writer.opening(record.exception_types, "Exception")
    text = f"{record.exception_types[0]}: {record.message}"
    data = f"{writer.opening(_NO_DATA, 'Data')}<DCT /></Obj>"
    facts = _properties(
        writer,
        ErrorRecord=None,
        Message=record.message,
        InnerException=None,
        TargetSite=None,
        StackTrace=None,
        HelpLink=None,
        Source=None,
        HResult=_HRESULT,
    )
    return f"{start}<ToString>{escape(text)}</ToString><Props>{facts}{data}</Props></Obj>"


def _invocation(command: str, writer: Writer) -> str:
    return (
        _properties(writer, InvocationInfo_InvocationName=command)
        + f"{writer.opening(_BOUND, 'InvocationInfo_BoundParameters')}<DCT /></Obj>"
        + f"{writer.opening(_UNBOUND, 'InvocationInfo_UnboundArguments')}<LST /></Obj>"
        + _properties(
            writer,
            InvocationInfo_CommandOrigin=EnumValue(f"{_AUTOMATION}.CommandOrigin", "Internal", 1),
            InvocationInfo_ExpectingInput=False,
            InvocationInfo_Line="",
            InvocationInfo_OffsetInLine=0,
            InvocationInfo_PositionMessage="",
            InvocationInfo_ScriptName="",
            InvocationInfo_ScriptLineNumber=0,
            InvocationInfo_HistoryId=Int64(1),
            InvocationInfo_PipelineLength=0,
            InvocationInfo_PipelinePosition=0,
        )
        + _iteration("InvocationInfo_PipelineIterationInfo", writer)
        + _properties(
            writer,
            CommandInfo_CommandType=EnumValue(f"{_AUTOMATION}.CommandTypes", "Cmdlet", 8),
            CommandInfo_Definition="",
            CommandInfo_Name=command,
            CommandInfo_Visibility=EnumValue(
                f"{_AUTOMATION}.SessionStateEntryVisibility", "Public", 0
            ),
        )
    )


def _iteration(name: str, writer: Writer) -> str:
    start = writer.opening(_ITERATION, name)
    return f"{start}<LST><I32>0</I32><I32>0</I32></LST></Obj>"


def informational(kind: str, text: str) -> str:
    """Return a ``Verbose``, ``Warning`` or ``Debug`` record; its ToString is the message."""
    writer = Writer()
    types = (
        f"{_AUTOMATION}.{kind}Record",
        f"{_AUTOMATION}.InformationalRecord",
        "System.Object",
    )
    facts = _properties(
        writer,
        InformationalRecord_Message=text,
        InformationalRecord_SerializeInvocationInfo=False,
    )
    start = writer.opening(types)
    return f"{start}<ToString>{escape(text)}</ToString><MS>{facts}</MS></Obj>"


def progress(activity: str, status: str, percent: int) -> str:
    """Return a ProgressRecord of kind Processing; percent -1 when unknown."""
    writer = Writer()
    start = writer.opening(())
    facts = _properties(
        writer,
        Activity=activity,
        ActivityId=0,
        StatusDescription=status,
        CurrentOperation=None,
        ParentActivityId=-1,
        PercentComplete=percent,
        Type=EnumValue(f"{_AUTOMATION}.ProgressRecordType", "Processing", 0),
        SecondsRemaining=-1,
    )
    return f"{start}<MS>{facts}</MS></Obj>"


def pipeline_state(state: int, record: ErrorRecord | None = None) -> str:
    """Return a PIPELINE_STATE: 3 stopped, 4 completed, 5 failed with its record."""
    writer = Writer()
    start = writer.opening(())
    number = writer.value(state, "PipelineState")
    reason = error_record(record, writer, "ExceptionAsErrorRecord") if record else ""
    return f"{start}<MS>{number}{reason}</MS></Obj>"


def stopped() -> str:
    """Return the state of a pipeline that was stopped, with PowerShell's own record."""
    return pipeline_state(3, _STOPPED)
