internal import Bytes
internal import HTTPMessage
internal import StatusPage

/// The page for browsers and what it loads, encoded once. They are the same for everybody and say nothing of what is
/// stored, so they need no token: the page asks for it, and sends it with its own requests.
final class PageFiles: Sendable {
  fileprivate struct File {
    let path: [UInt8]
    let tag: String
    let whole: Response
    let compressed: Response
    let unchanged: Response
  }

  private let files: [File]

  /// - Parameter needsToken: whether the page has to ask for one; else it is read-only.
  init(needsToken: Bool) {
    var files: [File] = []
    // The pointers are those of constants of the executable, and never end.
    while let file = unsafe status_page_file_at(files.count)?.pointee {
      var body = unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
      let path = unsafe Array(String(cString: file.path).utf8)
      if needsToken, path == Self.root {
        body = Array(String(decoding: body, as: UTF8.self).replacing(Self.noToken, with: Self.token).utf8)
      }
      files.append(File(path: path, body: body))
    }
    self.files = files
  }

  /// `nil`: the request is for something else, or comes from no browser.
  func answer(to path: Span<UInt8>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? {
    let isRoot = path.equals("/")
    // Browsers name it when they open an address. A tool that takes anything gets the plain text.
    if isRoot, !Preferences("accept", head, bytes).takes("text/html") { return nil }
    guard isRoot || path.hasPrefix("/page/") else { return nil }
    guard let file = files.first(where: { path.isEqual(to: $0.path) }) else { return Answers.notFound }
    guard head.method == .get || head.method == .head else { return Answers.getOnly }
    if case .once(let range) = head.value(of: "if-none-match", in: bytes),
      String(decoding: bytes.extracting(range).bytesCopied, as: UTF8.self).contains(file.tag)
    {
      return file.unchanged
    }
    return Preferences("accept-encoding", head, bytes).takes("gzip") ? file.compressed : file.whole
  }

  private static let root = Array("/".utf8)
  private static let noToken = #"data-token="none""#
  private static let token = #"data-token="required""#
}

extension PageFiles.File {
  fileprivate init(path: [UInt8], body: [UInt8]) {
    // FNV-1a: the files are our own, so none is made to have the sum of another.
    let sum = body.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    // Weak, since it names what is compressed as well.
    let tag = "W/\"\(String(sum, radix: 16))\""
    let fields: [(StaticString, String)] = [
      ("ETag", tag), ("Cache-Control", "no-cache"), ("Vary", "Accept, Accept-Encoding"),
      ("X-Content-Type-Options", "nosniff"),
      ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"), ("Content-Security-Policy", Self.policy),
    ]
    self.path = path
    self.tag = tag
    whole = Response(.ok, contentType: Self.type(of: path), fields: fields, body: body)
    compressed = whole.compressed(if: true)
    unchanged = Response(notModified: fields)
  }

  private static func type(of path: [UInt8]) -> StaticString {
    switch path.split(separator: UInt8(ascii: ".")).last {
    case Array("css".utf8)[...]?: "text/css; charset=utf-8"
    case Array("js".utf8)[...]?: "text/javascript; charset=utf-8"
    case Array("svg".utf8)[...]?: "image/svg+xml"
    default: "text/html; charset=utf-8"
    }
  }

  /// Nothing but its own files, no markup made from text (Trusted Types), no frame, no form that is sent.
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}
