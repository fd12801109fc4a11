import Foundation
import TestSupport
import Testing

@Suite("The page's files", .timeLimit(.minutes(1)))
struct PageFilesTests {
  private static let html = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
  private static let names = [
    "page.css", "page.js", "server.js", "text.js", "chart.js", "rows.js", "now.js", "dead.js", "confirm.js", "icon.svg",
  ]

  @Test func `a browser gets the page, and everybody else the list of routes`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    for fields in [Self.html, "accept: Text/HTML\r\n"] {
      let answer = try server.get("/", fields: fields)
      #expect(answer.status == 200)
      #expect(answer.field("Content-Type") == "text/html; charset=utf-8")
      #expect(answer.body.hasPrefix("<!doctype html>"))
    }
    for fields in ["", "Accept: */*\r\n", "Accept: application/json\r\n", "Accept: text/html\r\nAccept: text/html\r\n"]
    {
      let answer = try server.get("/", fields: fields)
      #expect(answer.field("Content-Type") == "text/plain")
      #expect(answer.body.hasPrefix("revoked "))
    }
  }

  @Test func `with a private token the page comes without it, says nothing that is stored, and asks for it`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": PageTests.token])
    let page = try server.get("/", fields: Self.html)
    #expect(page.status == 200)
    #expect(page.body.contains(#"data-token="required""#))
    #expect(!page.body.contains(PageTests.token))
    #expect(try server.get("/").status == 401)
    for name in Self.names { #expect(try server.get("/page/\(name)").status == 200) }
    #expect(!server.log.text.contains("private token missing"))
  }

  @Test func `each file is small, comes whole once, and forbids what it does not need`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    var size = 0
    for path in ["/"] + Self.names.map({ "/page/\($0)" }) {
      let answer = try server.get(path, fields: Self.html)
      #expect(answer.status == 200, "\(path)")
      #expect(answer.field("X-Content-Type-Options") == "nosniff")
      #expect(answer.field("X-Frame-Options") == "DENY")
      let policy = try #require(answer.field("Content-Security-Policy"))
      #expect(policy.hasPrefix("default-src 'none'; "))
      #expect(policy.contains("frame-ancestors 'none'") && policy.contains("require-trusted-types-for 'script'"))
      #expect(!policy.contains("unsafe") && !policy.contains("*"))
      size += answer.body.utf8.count

      let tag = try #require(answer.field("ETag"))
      let again = try server.get(path, fields: Self.html + "If-None-Match: \(tag)\r\n")
      #expect(again.status == 304)
      #expect(again.body == "" && again.field("Content-Length") == nil && again.field("ETag") == tag)
      #expect(try server.get(path, fields: Self.html + "If-None-Match: \"0\"\r\n").status == 200)
      // Nothing comes from elsewhere; the one address is a name of SVG's.
      let addresses = answer.body.replacing("http://www.w3.org/2000/svg", with: "").matches(of: /(https?:)?\/\/[a-z]/)
      #expect(addresses.isEmpty, "\(path)")
    }
    #expect(size <= 60 * 1024)
  }

  @Test func `there is no other file, and no other method`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    for name in ["", "x", "page.css/", "../page.css", "%70age.css", "index.html", "PAGE.CSS"] {
      #expect(try server.get("/page/\(name)").status == 404, "\(name)")
    }
    let answer = try server.answer(
      to: "POST /page/page.css HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", on: server.privateAddress)
    #expect(answer.status == 405)
    #expect(answer.field("Allow") == "GET, HEAD")
  }
}
