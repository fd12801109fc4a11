/// The URLs that Dynamic lets a webhook have: its pattern, `https://`, a host of lower-case labels whose last one has 2
/// to 10 letters, and nothing or a path behind it.
package enum WebhookURL {
  /// Why Dynamic would refuse the URL; `nil`: it would not.
  package static func objection(to url: String) -> String? {
    guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return "holds a space or a character that must be percent-encoded"
    }
    guard url.hasPrefix("https://") else { return "does not begin with https://, which is all that Dynamic posts to" }
    let rest = url.dropFirst("https://".count)
    let authority = rest.prefix { !"/?#".contains($0) }
    let behind = rest.dropFirst(authority.count)
    if authority.isEmpty { return "names no host" }
    if authority.contains("@") { return "holds a user or a password, which Dynamic does not take" }
    if authority.hasPrefix("[") { return "names an address; Dynamic posts to names only" }
    if authority.contains(":") { return "names a port; Dynamic posts to 443 only" }
    if behind.first == "?" || behind.first == "#" { return "has no path before its \(behind.prefix(1))" }
    return objection(toHost: authority)
  }

  private static func objection(toHost host: Substring) -> String? {
    if host.contains(where: \.isUppercase) { return "names its host in capitals; write \(host.lowercased())" }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = labels.last, labels.count > 1 else {
      return "names the host \(host), which is not a name on the Internet"
    }
    if labels.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isNumber) }) {
      return "names an address; Dynamic posts to names only"
    }
    guard (2...10).contains(last.count), last.allSatisfy({ ("a"..."z").contains($0) }) else {
      return "names a host that ends in .\(last); Dynamic takes 2 to 10 letters there"
    }
    let isName = labels.allSatisfy { label in
      !label.isEmpty && label.first != "-" && label.last != "-"
        && label.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" }
    }
    return isName ? nil : "names a host that Dynamic does not take: a-z, 0-9, - and . between them"
  }
}
