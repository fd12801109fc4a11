import CAllocations
import Foundation

@main struct Benchmarks {
  /// Without arguments: the table. With the name of an operation and a number: that many times, for `Callgrind`.
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count == 3, let iterations = Int(arguments[2]) {
      guard let operation = Operation.all.first(where: { $0.name == arguments[1] }) else { exit(64) }
      print(run(try operation.prepare(), iterations))
      return
    }
    do {
      try printTable()
    } catch let failure as Callgrind.Failure {
      FileHandle.standardError.write(Data("valgrind did not count: \(failure.text)\n".utf8))
      exit(69)
    }
  }

  private static func printTable() throws {
    print("| operation | instructions | at most | allocations | at most |\n|---|--:|--:|--:|--:|")
    var isKept = true
    for operation in Operation.all {
      let allocations = try allocations(of: operation)
      // The difference of two runs: starting the process cancels out.
      let few = try Callgrind.instructions(of: operation.name, iterations: 1_000)
      let many = try Callgrind.instructions(of: operation.name, iterations: 11_000)
      let instructions = (many - few) / 10_000
      isKept = isKept && allocations <= operation.allocations && instructions <= operation.instructions
      print(
        "| \(operation.name) | \(instructions) | \(operation.instructions)"
          + " | \(allocations) | \(operation.allocations) |"
      )
    }
    if !isKept {
      FileHandle.standardError.write(Data("A promise is broken: an operation costs more than it may.\n".utf8))
      exit(1)
    }
  }

  private static func allocations(of operation: Operation) throws -> Int {
    let body = try operation.prepare()
    // Once before, for what is made lazily.
    _ = run(body, 10)
    let before = CAllocations.allocations()
    _ = run(body, 1_000)
    let count = Int(CAllocations.allocations() - before)
    // Rounded up: one in a thousand is not none.
    return (count + 999) / 1_000
  }

  @inline(never) private static func run(_ operation: () -> Int, _ iterations: Int) -> Int {
    var sum = 0
    for _ in 0..<iterations { sum &+= operation() }
    return sum
  }
}
