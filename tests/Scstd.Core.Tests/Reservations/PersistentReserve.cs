using System.Buffers.Binary;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Reservations;

/// <summary>PERSISTENT RESERVE IN and OUT as an initiator sends them.</summary>
internal static class PersistentReserve
{
    public static byte[] List(ulong key, ulong newKey, byte flags = 0)
    {
        byte[] list = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(list, key);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), newKey);
        list[20] = flags;
        return list;
    }

    public static byte[] Cdb(PersistentReserveOutAction action, int listBytes, byte type = 0) =>
        [0x5F, (byte)action, type, 0, 0, 0, 0, (byte)(listBytes >> 8), (byte)listBytes, 0];

    public static TestCommand Send(
        this TestInitiator initiator, PersistentReserveOutAction action, byte[] list, byte type = 0) =>
        initiator.Send(Lun.FromNumber(0), Cdb(action, list.Length, type), list);

    public static TestCommand Out(
        this TestInitiator initiator, PersistentReserveOutAction action, byte[] list, byte type = 0) =>
        initiator.Execute(Cdb(action, list.Length, type), list);

    public static TestCommand Out(
        this TestInitiator initiator, PersistentReserveOutAction action, ulong key = 0, ulong newKey = 0,
        byte type = 0, byte flags = 0) =>
        initiator.Out(action, List(key, newKey, flags), type);

    public static TestCommand In(this TestInitiator initiator, byte action, ushort allocationLength = 8192) =>
        initiator.Execute([0x5E, action, 0, 0, 0, 0, 0, (byte)(allocationLength >> 8), (byte)allocationLength, 0]);

    public static void Register(this TestInitiator initiator, ulong key, byte flags = 0) =>
        initiator.Out(PersistentReserveOutAction.RegisterAndIgnoreExistingKey, newKey: key, flags: flags).MustBeGood();

    public static AdditionalSense[] Attentions(this TestInitiator initiator) =>
        initiator.ItlNexus.UnitAttentions.Pending.ToArray();
}
