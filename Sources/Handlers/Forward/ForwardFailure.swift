/// Why a delivery was not taken.
struct ForwardFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
