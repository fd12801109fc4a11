internal import Outgoing

/// A list that the API returns page by page.
///
/// The documentation leaves open how a list ends and in which order it comes. This is right for every reading: the list
/// is over when a page is empty, or its cursor is missing, null, empty or one that was there before. What the pages
/// hold may shift while they are read, so that an item may come twice.
package struct Pages: Sendable {
  /// A list has an end, whatever the other side says.
  private static let most = 10_000

  private let api: DynamicAPI
  private let path: String
  private let query: [(name: String, value: String)]
  private var cursor: String?
  private var seen: Set<[UInt8]> = []
  private var isOver = false

  init(_ api: DynamicAPI, _ path: String, query: [(name: String, value: String)] = []) {
    self.api = api
    self.path = path
    self.query = query
  }

  /// The next page; `nil` at the end.
  mutating func next() async throws(APIError) -> [JSONValue]? {
    if isOver { return nil }
    let response = try await api.call(
      .get, path, query: query + (cursor.map { [("cursor", $0)] } ?? []), isRepeatable: true)
    guard let page = JSONValue(response.body), page.isObject else { throw .unreadable("a page that is no JSON object") }
    // A page without `data` may be the end. One whose `data` is another thing is not understood.
    let data = page["data"]
    guard data != nil || page["error"] == nil else { throw .unreadable("a page that tells of an error") }
    guard let items = data == nil || data?.isNull == true ? [] : data?.elements else {
      throw .unreadable("a page whose data is no list")
    }
    cursor = page["cursor"]?.string
    let isNew = cursor.map { !$0.isEmpty && seen.insert(Array($0.utf8)).inserted } ?? false
    isOver = items.isEmpty || !isNew
    guard seen.count < Self.most else { throw .unreadable("a list of more than \(Self.most) pages") }
    return items.isEmpty ? nil : items
  }
}
