internal import Glibc

/// Asks again until it is so, for at most a hundred seconds. For conditions that cost a system call or a request each,
/// and come within milliseconds: how long they take says how busy the machine is, and fails no test.
package func eventually(
  within patience: Duration = .seconds(100), _ condition: () throws -> Bool
) rethrows -> Bool {
  let limit = ContinuousClock.now + patience
  while ContinuousClock.now < limit {
    if try condition() { return true }
    // Else it would take the processor from what it waits for.
    usleep(2000)
  }
  return false
}
