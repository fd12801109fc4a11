internal import Glibc

/// The space left where a file is.
enum FileSpace {
  /// In bytes, for a process without privileges; 0 when it cannot be told.
  static func available(at path: String) -> UInt64 {
    var information = statvfs()
    // The string and the structure live for the call.
    guard unsafe statvfs(path, &information) == 0 else { return 0 }
    return UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize)).partialValue
  }
}
