/// A request as a server understood it. The fixtures show it as one line:
/// `post /path 1.1 keep expect {X-Name: value} [body]`, where only the fields that begin with `X-` are shown.
struct ReadRequest: Equatable, CustomStringConvertible {
  struct Field: Equatable {
    var name: [UInt8]
    var value: [UInt8]
  }

  var method = ""
  var path: [UInt8] = []
  var minorVersion = 1
  var keepsAlive = true
  var expectsContinue = false
  var fields: [Field] = []
  var body: [UInt8] = []

  var description: String {
    var text = "\(method) \(path.isEmpty ? "-" : Wire.text(of: path)) 1.\(minorVersion)"
    text += keepsAlive ? " keep" : " close"
    if expectsContinue { text += " expect" }
    for field in fields where field.name.starts(with: "X-".utf8) {
      text += " {\(Wire.text(of: field.name)): \(Wire.text(of: field.value))}"
    }
    return body.isEmpty ? text : "\(text) [\(Wire.text(of: body))]"
  }
}
