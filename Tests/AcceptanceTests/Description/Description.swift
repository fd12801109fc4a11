import Foundation
import Testing
import Yams

/// `Config/openapi.yaml`, as far as the tests look at it.
struct Description {
  struct Operation: Hashable {
    let method: String
    let path: String
    let tag: String
  }

  let operations: [Operation]
  private let document: [String: Any]

  init() throws {
    document = try #require(Yams.load(yaml: Recipe.text(of: "openapi.yaml")) as? [String: Any])
    let paths = try #require(document["paths"] as? [String: [String: Any]])
    operations = paths.flatMap { path, item in
      item.compactMap { method, value in
        guard let tags = (value as? [String: Any])?["tags"] as? [String], let tag = tags.first else { return nil }
        return Operation(method: method.uppercased(), path: path, tag: tag)
      }
    }
  }

  var paths: Set<String> { Set(operations.map(\.path)) }

  /// The values of a schema of `components`.
  func values(of schema: String) throws -> Set<String> {
    let schemas = (document["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]]
    return Set(try #require(schemas?[schema]?["enum"] as? [String]))
  }
}
