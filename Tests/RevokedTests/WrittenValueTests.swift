import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct WrittenValueTests {
  @Test(arguments: [
    ("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("12h", 43_200_000), ("30d", 2_592_000_000),
    ("1h30m", 5_400_000), ("1d1h1m1s1ms", 90_061_001), ("1m5ms", 60_005), ("007s", 7_000), ("0s", 0),
  ])
  func `Durations as people write them`(text: String, milliseconds: Int) {
    #expect(WrittenDuration(text)?.duration == .milliseconds(milliseconds))
  }

  @Test(arguments: [
    "", "10", "s", "-1s", "+1s", "1.5h", "1 s", " 1s", "1s ", "1S", "1w", "1m1h", "1s1s", "1h30", "١s", "1ms1s",
    "9223372036854775807s", "99999999999999999999ms", "106751991167d106751991167h",
  ])
  func `What is no duration`(text: String) {
    #expect(WrittenDuration(text) == nil)
  }

  @Test(arguments: [("0", 0), ("262144", 262_144), ("256KiB", 262_144), ("1MiB", 1_048_576), ("2GiB", 1 << 31)])
  func `Sizes`(text: String, bytes: Int) {
    #expect(ByteCount(text)?.bytes == bytes)
  }

  @Test(arguments: [
    "", "KiB", "1KB", "1k", "1 KiB", "-1", "+1", "1.5MiB", "1e3", "0x10", "1kib", "9223372036854775807KiB",
    "99999999999999999999", "٣",
  ])
  func `What is no size`(text: String) {
    #expect(ByteCount(text) == nil)
  }
}
