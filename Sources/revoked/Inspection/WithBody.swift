/// A report, and the body of its event beside it.
struct WithBody<Report: Encodable>: Encodable {
  let report: Report
  let body: BodyText

  func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    try body.encode(to: encoder)
  }
}
