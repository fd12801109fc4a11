// What the API shows, so that `import Receiver` is enough.
@_exported public import DynamicEvents
@_exported public import HTTPMessage
@_exported public import HTTPServer
@_exported public import Handlers
@_exported public import Logging
@_exported public import Signature
