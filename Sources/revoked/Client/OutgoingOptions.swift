internal import ArgumentParser

/// The flags of a command that makes requests to other hosts.
struct OutgoingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The certificate authorities to trust instead of the system's (tls.ca-file).", valueName: "file")
  )
  var cacert: String?

  @OptionGroup var options: ConfigurationOptions

  func load(requiring: Set<Settings.Requirement> = []) throws -> Settings {
    var options = options
    if let cacert { options.settings.append("tls.ca-file=\(cacert)") }
    return try options.load(requiring: requiring)
  }
}
