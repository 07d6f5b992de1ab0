namespace Scstd.Scsi;

/// <summary>Status codes, SAM-5 §5.3.1.</summary>
public enum ScsiStatus : byte
{
    Good = 0x00,
    CheckCondition = 0x02,
    ConditionMet = 0x04,
    Busy = 0x08,
    ReservationConflict = 0x18,
    TaskSetFull = 0x28,
    AcaActive = 0x30,
    TaskAborted = 0x40,
}

/// <summary>Task attributes, SAM-5 §8.6.</summary>
public enum TaskAttribute : byte
{
    Simple,
    Ordered,
    HeadOfQueue,
    Aca,
}

/// <summary>Task management functions, SAM-5 §7.</summary>
public enum TaskManagementFunction : byte
{
    AbortTask,
    AbortTaskSet,
    ClearAca,
    ClearTaskSet,
    LogicalUnitReset,
    TargetWarmReset,
    TargetColdReset,
    ItNexusReset,
    QueryTask,
    QueryTaskSet,
    QueryAsynchronousEvent,
}

/// <summary>Service responses of a task management function, SAM-5 §7.1.</summary>
public enum TaskManagementResponse : byte
{
    FunctionComplete,
    FunctionSucceeded,
    FunctionRejected,
    IncorrectLogicalUnitNumber,
    TaskDoesNotExist,
    FunctionNotSupported,
}

/// <summary>Which way the data goes, as the initiator sees it (SAM-5 §5.1: Data-In Buffer, Data-Out Buffer).</summary>
[Flags]
public enum DataDirection : byte
{
    None = 0,
    In = 1,
    Out = 2,
    Both = In | Out,
}

/// <summary>PERIPHERAL DEVICE TYPE, SPC-4 §6.6.2.</summary>
public enum PeripheralDeviceType : byte
{
    DirectAccessBlock = 0x00,
    SequentialAccess = 0x01,
    Processor = 0x03,
    CdDvd = 0x05,
    OpticalMemory = 0x07,
    MediumChanger = 0x08,
    StorageArrayController = 0x0C,
    Enclosure = 0x0D,
    WellKnown = 0x1E,
    None = 0x1F,
}
