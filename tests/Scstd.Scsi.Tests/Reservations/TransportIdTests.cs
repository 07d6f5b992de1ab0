using System.Text;
using CsCheck;

namespace Scstd.Scsi.Tests;

/// <summary>TransportID, SPC-4 §7.6.4.</summary>
public sealed class TransportIdTests
{
    private const string FibreChannel = "00 00000000000000 2100001122334455 0000000000000000";

    [Theory]
    [InlineData("iqn.a:b,i,0x00023d000001", "45 00 001C 69716E2E613A622C692C3078303030323364303030303031 00000000")]
    [InlineData("iqn.a:b", "05 00 0014 69716E2E613A62 00000000000000000000000000")]
    [InlineData("naa.2100001122334455", FibreChannel)]
    public void A_port_has_these_bytes_and_they_have_this_port(string name, string hex)
    {
        byte[] expected = Bytes(hex);
        TransportId id = TransportId.OfPortName(name)!;
        byte[] written = new byte[id.LengthBytes];
        id.Write(written);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(written));
        Assert.True(TransportId.TryRead(written, out TransportId? read, out _));
        Assert.Equal(id, read);
        Assert.Equal(id.GetHashCode(), read!.GetHashCode());
        Assert.Equal(name, read.ToString());
        Assert.Equal(written.Length, read.ReadLengthBytes(written));
    }

    /// <summary>With room for the null that ends the name, and a multiple of four: never cut, never one too long.
    /// </summary>
    [Fact]
    public void Every_length_of_a_name_is_padded_right()
    {
        for (int length = 1; length <= 223; length++)
        {
            TransportId id = TransportId.OfPortName(new string('a', length))!;
            byte[] written = new byte[id.LengthBytes + 3];
            id.Write(written);
            Assert.Equal(0, id.LengthBytes % 4);
            Assert.InRange(id.LengthBytes, Math.Max(24, 4 + length + 1), Math.Max(24, 4 + length + 4));
            Assert.True(TransportId.TryRead(written, out TransportId? read, out _));
            Assert.Equal(id, read);
        }
    }

    [Fact]
    public void The_same_port_written_in_another_way_is_the_same()
    {
        TransportId id = TransportId.OfPortName("iqn.a:b,i,0x00023d00000a")!;
        Assert.Equal(id, TransportId.OfPortName("IQN.A:B,I,0x23D00000A"));
        byte[] padded = new byte[id.LengthBytes + 8];
        id.Write(padded);
        padded[3] += 8;
        Assert.True(TransportId.TryRead(padded, out TransportId? read, out _));
        Assert.Equal(id, read);
        Assert.Equal(padded.Length, read!.ReadLengthBytes(padded));
    }

    [Fact]
    public void Different_ports_differ()
    {
        TransportId?[] all =
        [
            TransportId.OfPortName("iqn.a:b"), TransportId.OfPortName("iqn.a:b,i,0x1"),
            TransportId.OfPortName("iqn.a:b,i,0x2"), TransportId.OfPortName("iqn.a:c,i,0x1"),
            TransportId.OfFibreChannelPort(1), TransportId.OfFibreChannelPort(2),
        ];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(all, Assert.NotNull);
        Assert.False(all[0]!.IsPort);
        Assert.All(all[1..], id => Assert.True(id!.IsPort));
    }

    [Theory]
    [InlineData("01 00000000000000 2100001122334455 0000000000000000", 0)] // parallel SCSI
    [InlineData("40 00000000000000 2100001122334455 0000000000000000", 0)]
    [InlineData("00 00000000000100 2100001122334455 0000000000000000", 6)]
    [InlineData("00 00000000000000 2100001122334455 0000000000000001", 23)]
    [InlineData("85 00 0014 69716E2E613A62 00000000000000000000000000", 0)]
    [InlineData("05 01 0014 69716E2E613A62 00000000000000000000000000", 1)]
    [InlineData("05 00 0010 69716E2E613A62 00000000000000000000000000", 2)]
    [InlineData("05 00 0015 69716E2E613A62 0000000000000000000000000000", 2)]
    [InlineData("05 00 0018 69716E2E613A62 00000000000000000000000000", 2)] // cut off
    [InlineData("05 00 0014 0000000000000000000000000000000000000000", 4)]
    [InlineData("05 00 0014 6161616161616161616161616161616161616161", 4)] // no null
    [InlineData("05 00 0014 69716E00613A62 00000000000000000000000000", 4)]
    [InlineData("45 00 0014 69716E2E613A62 00000000000000000000000000", 4)] // no ISID
    [InlineData("45 00 0014 69716E2C692C307867 00000000000000000000000", 4)]
    [InlineData("05 00 0014 69716E2EFF3A62 00000000000000000000000000", 4)] // not UTF-8
    [InlineData("05 00 00", 0)]
    public void What_is_wrong_is_refused_at_its_place(string hex, int offset)
    {
        Assert.False(TransportId.TryRead(Bytes(hex), out TransportId? id, out int wrong));
        Assert.Equal(offset, wrong);
        Assert.Null(id);
    }

    /// <summary>What was read is written and read again as the same: a state that was saved can always be loaded.
    /// </summary>
    [Fact]
    public void Whatever_is_read_is_found_again_by_its_name() =>
        Gen.Byte.Array[0, 240].Select(Gen.String[0, 120], Gen.Bool).Sample((bytes, text, asText) =>
        {
            byte[] name = asText ? Encoding.UTF8.GetBytes(text + ",i,0x1") : bytes;
            int length = Math.Max(20, (name.Length + 4) & ~3);
            byte[] list = [0x45, 0, (byte)(length >> 8), (byte)length, .. name, .. new byte[length - name.Length]];
            return !TransportId.TryRead(list, out TransportId? id, out _) ||
                id!.Equals(TransportId.OfPortName(id.ToString()));
        });

    /// <summary>U+023A takes two bytes, and three in lower case: 111 of them would not fit any more.</summary>
    [Fact]
    public void A_name_is_measured_in_the_case_in_which_it_is_kept()
    {
        Assert.Null(TransportId.OfPortName(new string('\u023A', 111) + ",i,0x1"));
        TransportId id = TransportId.OfPortName(new string('\u023A', 74) + ",i,0x1")!;
        Assert.Equal(id, TransportId.OfPortName(id.ToString()));
    }

    [Theory]
    [InlineData("iqn.a:b,i,0x1234567890abc")]
    [InlineData("iqn.a:b,i,0x")]
    [InlineData("iqn.a,b")]
    [InlineData("iqn a")]
    [InlineData("")]
    public void What_is_no_port_has_no_TransportID(string name) => Assert.Null(TransportId.OfPortName(name));

    private static byte[] Bytes(string hex)
    {
        string digits = string.Concat(hex.Where(char.IsAsciiHexDigit));
        return Convert.FromHexString(digits.Length % 2 == 0 ? digits : digits + "0");
    }
}
