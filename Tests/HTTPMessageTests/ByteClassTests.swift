import Testing

@testable import HTTPMessage

@Suite("The byte classes are those of the RFCs", .timeLimit(.minutes(2)))
struct ByteClassTests {
  static let letters = "abcdefghijklmnopqrstuvwxyz"

  static let classes: [(ByteClass, String)] = [
    (.token, "!#$%&'*+-.^_`|~0123456789" + letters + letters.uppercased()),
    (.target, "-._~!$&'()*+,;=:@/?0123456789" + letters + letters.uppercased()),
    (.domainName, "-.0123456789" + letters + letters.uppercased()),
    (.authority, "-._~!$&'()*+,;=:[]0123456789" + letters + letters.uppercased()),
  ]

  @Test(arguments: classes)
  func `byte for byte`(of set: ByteClass, are text: String) {
    let members = (0...255).filter { set.contains(UInt8($0)) }
    #expect(members == text.utf8.map(Int.init).sorted())
  }
}
