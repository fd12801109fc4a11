import Foundation
import HTTPServer
import TestSupport
import Testing

/// A headless Chromium, driven over WebDriver (https://www.w3.org/TR/webdriver2/) by the driver that Debian ships with
/// it. README's line for the tests installs both.
final class Browser {
  struct Failure: Error {
    let text: String
  }

  private let home: TemporaryFolder
  private let process: Process
  private let driver: ListenAddress
  private var session = ""

  init(width: Int = 1280, height: Int = 900) throws {
    home = try TemporaryFolder()
    (process, driver) = try Self.startDriver(home: home.path)
    let options = [
      // Root has no sandbox, and what a container has of /dev/shm is too small.
      "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]
    ]
    let capabilities: [String: Any] = ["goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"]]
    let value = try ask("POST", "/session", ["capabilities": ["alwaysMatch": capabilities]])
    session = "/session/" + (try #require((value as? [String: Any])?["sessionId"] as? String))
    try resize(width: width, height: height)
  }

  /// The driver takes a port that is free for IPv6, and ends where IPv4 has it in use. Then it is started again.
  private static func startDriver(home: String) throws -> (Process, ListenAddress) {
    var said = ""
    for _ in 0..<5 {
      let process = Executable.process(["--port=0"], ["HOME": home, "TMPDIR": home])
      process.executableURL = URL(filePath: "/usr/bin/chromedriver")
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      try pipe.fileHandleForWriting.close()
      let log = LogReader(pipe.fileHandleForReading)
      var port: UInt16?
      _ = log.wait { text in
        port = text.firstMatch(of: /successfully on port (\d+)/).flatMap { UInt16($0.output.1) }
        return port != nil
      }
      if let port { return (process, .tcp(host: "127.0.0.1", port: port)) }
      said = log.text
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    throw Failure(text: said)
  }

  deinit {
    // Ends Chromium, which would outlive its driver.
    _ = try? ask("DELETE", session, nil)
    // It has no ear for SIGTERM.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func open(_ url: String) throws { try ask("POST", session + "/url", ["url": url]) }

  /// Runs a function's body, and returns what it returns.
  @discardableResult
  func run(_ script: String, _ arguments: Any...) throws -> Any? {
    try ask("POST", session + "/execute/sync", ["script": script, "args": arguments])
  }

  /// Asks in the page until the expression holds; false after 20 s.
  func wait(_ condition: String) throws -> Bool {
    let script = """
      const done = arguments[0];
      const begun = performance.now();
      const ask = () => {
        const holds = (() => { try { return \(condition); } catch { return false; } })();
        if (holds || performance.now() - begun > 20_000) done(Boolean(holds)); else setTimeout(ask, 20);
      };
      ask();
      """
    return try ask("POST", session + "/execute/async", ["script": script, "args": []]) as? Bool ?? false
  }

  /// What a person reads in the element.
  func text(_ selector: String) throws -> String {
    try run("return document.querySelector(arguments[0])?.innerText", selector) as? String ?? ""
  }

  /// A click with the mouse: fails where the element cannot be seen or another one covers it.
  func click(_ selector: String) throws { try ask("POST", element(selector) + "/click", [:]) }

  /// Keys for the element; for the one that has the focus without a selector. Keys without a character, such as Tab,
  /// are those of WebDriver's table.
  func type(_ text: String, into selector: String? = nil) throws {
    try ask("POST", element(selector) + "/value", ["text": text])
  }

  static let tab = "\u{E004}"
  static let enter = "\u{E007}"

  func resize(width: Int, height: Int) throws {
    try command(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false] as [String: Any])
  }

  func setDark(_ isDark: Bool) throws {
    let feature = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
    try command("Emulation.setEmulatedMedia", ["features": [feature]])
  }

  /// What the page and the browser complained of since the last call.
  func complaints() throws -> [String] {
    let lines = try ask("POST", session + "/se/log", ["type": "browser"]) as? [[String: Any]] ?? []
    return lines.compactMap { $0["message"] as? String }
  }

  /// What axe finds wrong for people who use a keyboard or a screen reader, or see badly; a line each.
  func barriers() throws -> [String] {
    let axe = Schemathesis.packages.appending(path: "axe_playwright_python/axe.min.js")
    try run(String(contentsOf: axe, encoding: .utf8))
    let script = """
      const done = arguments[0];
      axe.run().then((found) => done(found.violations.flatMap((one) => one.nodes.map((node) =>
        `${one.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`))), (error) => done([String(error)]));
      """
    return try ask("POST", session + "/execute/async", ["script": script, "args": []]) as? [String] ?? ["no answer"]
  }

  /// Keeps a picture of what is seen where `REVOKED_SCREENSHOTS` names a folder.
  func photograph(_ name: String) throws {
    guard let folder = ProcessInfo.processInfo.environment["REVOKED_SCREENSHOTS"] else { return }
    let picture = try ask("GET", session + "/screenshot", nil) as? String ?? ""
    try #require(Data(base64Encoded: picture)).write(to: URL(filePath: folder).appending(path: "\(name).png"))
  }

  private func command(_ name: String, _ parameters: [String: Any]) throws {
    try ask("POST", session + "/goog/cdp/execute", ["cmd": name, "params": parameters])
  }

  private func element(_ selector: String?) throws -> String {
    let value =
      if let selector {
        try ask("POST", session + "/element", ["using": "css selector", "value": selector])
      } else {
        try ask("GET", session + "/element/active", nil)
      }
    let id = (value as? [String: Any])?.values.first as? String
    return session + "/element/" + (try #require(id))
  }

  @discardableResult
  private func ask(_ method: String, _ path: String, _ body: [String: Any]?) throws -> Any? {
    // The driver says that it closes the connection, and does not, so this takes a client that counts.
    var arguments = ["-sS", "--max-time", "60", "-X", method, driver.url + path]
    if let body {
      let content = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
      arguments += [
        "-H", "Content-Type: application/json", "--data-binary", "@" + (try home.write(content, to: "body")),
      ]
    }
    let result = try Program.run("/usr/bin/curl", arguments)
    let object = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    guard let value = object?["value"], (value as? [String: Any])?["error"] == nil else {
      throw Failure(text: "\(method) \(path): \(result.errors)\(result.output)")
    }
    return value is NSNull ? nil : value
  }
}
