namespace Scstd.Scsi;

/// <summary>ADDITIONAL SENSE CODE and its QUALIFIER, which only mean something together (SPC-4 §4.5.6).</summary>
public readonly record struct AdditionalSense(byte Code, byte Qualifier)
{
    public static readonly AdditionalSense None = new(0x00, 0x00);
    public static readonly AdditionalSense NotReadyCauseNotReportable = new(0x04, 0x00);
    public static readonly AdditionalSense BecomingReady = new(0x04, 0x01);
    public static readonly AdditionalSense InitializingCommandRequired = new(0x04, 0x02);
    public static readonly AdditionalSense AsymmetricAccessStateTransition = new(0x04, 0x0A);
    public static readonly AdditionalSense TargetPortInStandbyState = new(0x04, 0x0B);
    public static readonly AdditionalSense TargetPortInUnavailableState = new(0x04, 0x0C);
    public static readonly AdditionalSense LogicalUnitOffline = new(0x04, 0x12);
    public static readonly AdditionalSense WriteError = new(0x0C, 0x00);
    public static readonly AdditionalSense InvalidFieldInCommandInformationUnit = new(0x0E, 0x03);
    public static readonly AdditionalSense UnrecoveredReadError = new(0x11, 0x00);
    public static readonly AdditionalSense ParameterListLengthError = new(0x1A, 0x00);
    public static readonly AdditionalSense MiscompareDuringVerify = new(0x1D, 0x00);
    public static readonly AdditionalSense InvalidCommandOperationCode = new(0x20, 0x00);
    public static readonly AdditionalSense LogicalBlockAddressOutOfRange = new(0x21, 0x00);
    public static readonly AdditionalSense InvalidFieldInCdb = new(0x24, 0x00);
    public static readonly AdditionalSense LogicalUnitNotSupported = new(0x25, 0x00);
    public static readonly AdditionalSense InvalidFieldInParameterList = new(0x26, 0x00);
    public static readonly AdditionalSense InvalidReleaseOfPersistentReservation = new(0x26, 0x04);
    public static readonly AdditionalSense WriteProtected = new(0x27, 0x00);
    public static readonly AdditionalSense SpaceAllocationFailedWriteProtect = new(0x27, 0x07);
    public static readonly AdditionalSense MediumMayHaveChanged = new(0x28, 0x00);
    public static readonly AdditionalSense PowerOnResetOrBusDeviceReset = new(0x29, 0x00);
    public static readonly AdditionalSense PowerOnOccurred = new(0x29, 0x01);
    public static readonly AdditionalSense BusDeviceResetFunctionOccurred = new(0x29, 0x03);
    public static readonly AdditionalSense ItNexusLossOccurred = new(0x29, 0x07);
    public static readonly AdditionalSense ModeParametersChanged = new(0x2A, 0x01);
    public static readonly AdditionalSense LogParametersChanged = new(0x2A, 0x02);
    public static readonly AdditionalSense ReservationsPreempted = new(0x2A, 0x03);
    public static readonly AdditionalSense ReservationsReleased = new(0x2A, 0x04);
    public static readonly AdditionalSense RegistrationsPreempted = new(0x2A, 0x05);
    public static readonly AdditionalSense AsymmetricAccessStateChanged = new(0x2A, 0x06);
    public static readonly AdditionalSense TimestampChanged = new(0x2A, 0x10);
    public static readonly AdditionalSense CapacityDataHasChanged = new(0x2A, 0x09);
    public static readonly AdditionalSense CommandSequenceError = new(0x2C, 0x00);
    public static readonly AdditionalSense PreviousBusyStatus = new(0x2C, 0x07);
    public static readonly AdditionalSense PreviousTaskSetFullStatus = new(0x2C, 0x08);
    public static readonly AdditionalSense PreviousReservationConflictStatus = new(0x2C, 0x09);
    public static readonly AdditionalSense CommandsClearedByAnotherInitiator = new(0x2F, 0x00);
    public static readonly AdditionalSense SavingParametersNotSupported = new(0x39, 0x00);
    public static readonly AdditionalSense MediumNotPresent = new(0x3A, 0x00);
    public static readonly AdditionalSense ThinProvisioningSoftThresholdReached = new(0x38, 0x07);
    public static readonly AdditionalSense MicrocodeHasBeenChanged = new(0x3F, 0x01);
    public static readonly AdditionalSense InquiryDataHasChanged = new(0x3F, 0x03);
    public static readonly AdditionalSense ReportedLunsDataHasChanged = new(0x3F, 0x0E);
    public static readonly AdditionalSense InternalTargetFailure = new(0x44, 0x00);
    public static readonly AdditionalSense InvalidMessageError = new(0x49, 0x00);
    public static readonly AdditionalSense OverlappedCommandsAttempted = new(0x4E, 0x00);
    public static readonly AdditionalSense MediumRemovalPrevented = new(0x53, 0x02);
    public static readonly AdditionalSense InsufficientResources = new(0x55, 0x03);
    public static readonly AdditionalSense InsufficientRegistrationResources = new(0x55, 0x04);

    public override string ToString() => $"{Code:X2}h/{Qualifier:X2}h";
}
