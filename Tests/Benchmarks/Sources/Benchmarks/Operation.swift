/// One thing that is done for a request, again and again.
struct Operation {
  let name: String
  /// More instructions than this are a regression: what was measured, and a fifth for another compiler or libcrypto.
  let instructions: Int
  /// More allocations than this are one as well; no margin.
  let allocations: Int
  /// Makes what the operation needs, and returns the operation. Its result keeps the optimiser from leaving it out.
  let prepare: () throws -> () -> Int

  init(_ name: String, instructions: Int, allocations: Int, _ prepare: @escaping () throws -> () -> Int) {
    self.name = name
    self.instructions = instructions
    self.allocations = allocations
    self.prepare = prepare
  }
}
