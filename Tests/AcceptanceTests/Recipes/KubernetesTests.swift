import Foundation
import TestSupport
import Testing
import Yams

@Suite("Config's files for Kubernetes", .timeLimit(.minutes(5)))
struct KubernetesTests {
  private typealias Object = [String: Any]

  private let objects: [String: Object]

  init() throws {
    let all = try Yams.load_all(yaml: Recipe.text(of: "kubernetes/revoked.yaml")).compactMap { $0 as? Object }
    objects = Dictionary(
      all.map { object in
        ("\(object["kind"] ?? "")/\((object["metadata"] as? Object)?["name"] ?? "")", object)
      }
    ) { first, _ in first }
  }

  private func value<Value>(_ path: String, in object: Object?, as type: Value.Type = Value.self) throws -> Value {
    var current: Any? = object
    for step in path.split(separator: ".") {
      if let index = Int(step) {
        let list = current as? [Any] ?? []
        current = list.indices.contains(index) ? list[index] : nil
      } else {
        current = (current as? Object)?[String(step)]
      }
    }
    return try #require(current as? Value, "\(path)")
  }

  private func pod<Value>(_ path: String, as type: Value.Type = Value.self) throws -> Value {
    try value("spec.template.spec.\(path)", in: objects["StatefulSet/revoked"])
  }

  @Test(arguments: ["1.27.0", "1.37.0"])
  func `they fit the schemas of Kubernetes`(version: String) throws {
    let file = Repository.root.appending(path: "Config/kubernetes/revoked.yaml").path
    let process = Executable.process(
      ["-m", "kubernetes_validate", "--strict", "-k", version, file], ["PYTHONPATH": Schemathesis.packages.path])
    process.executableURL = URL(filePath: "/usr/bin/python3")
    let result = try Executable.finish(process, within: 60)
    let said = result.output + result.errors
    #expect(result.status == 0, "\(said)")
    #expect(said.components(separatedBy: " passed for resource ").count == objects.count + 1, "\(said)")
  }

  @Test
  func
    `its arguments and its environment start a server of this version, whose probes and listeners are where it says`()
    throws
  {
    let folder = try TemporaryFolder()
    var environment: [String: String] = [:]
    for variable in try pod("containers.0.env", as: [Object].self) {
      environment[try value("name", in: variable)] = variable["value"] as? String ?? "a-private-token-of-kubernetes"
    }
    #expect(environment["REVOKED_LISTEN"] == "*:8080" && environment["REVOKED_PRIVATE_LISTEN"] == "*:8081")
    let mounts = try pod("containers.0.volumeMounts", as: [[String: Any]].self).compactMap {
      $0["mountPath"] as? String
    }
    let (data, secret) = try (
      #require(environment["REVOKED_DATA"]), #require(environment["DYNAMIC_WEBHOOK_SECRET_FILE"])
    )
    #expect(mounts.contains { data.hasPrefix($0 + "/") } && mounts.contains { secret.hasPrefix($0 + "/") })
    environment["REVOKED_LISTEN"] = "*:0"
    environment["REVOKED_PRIVATE_LISTEN"] = "*:0"
    environment["REVOKED_DATA"] = folder.data
    environment["DYNAMIC_WEBHOOK_SECRET_FILE"] = try folder.write(Executable.secret, to: "webhook")
    let arguments: [String] = try pod("containers.0.args")
    #expect(arguments.first == "serve")
    // As the first start does.
    #expect(environment["REVOKED_NEW_STORE"] == "refuse")
    #expect(try Executable.run(["init"], environment: environment).status == 0)
    let server = try RunningServer(in: folder, environment: environment, arguments: Array(arguments.dropFirst()))
    for (probe, path) in [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
      #expect(try pod("containers.0.\(probe).httpGet.path", as: String.self) == path)
      #expect(try pod("containers.0.\(probe).httpGet.port", as: String.self) == "private")
      #expect(try server.get(path).status == 200)
    }
    #expect(try pod("containers.0.ports.0", as: Object.self)["containerPort"] as? Int == 8080)
    #expect(try pod("containers.0.ports.1", as: Object.self)["containerPort"] as? Int == 8081)
    #expect(try value("spec.ports.0.port", in: objects["Service/revoked-webhook"]) == 8080)
    #expect(try value("spec.ports.0.port", in: objects["Service/revoked-lookups"]) == 8081)
  }

  @Test func `it is given longer to stop than it takes, and more memory than its peers can make it hold`() throws {
    let arguments: [String] = try pod("containers.0.args")
    let shown = try Executable.run(["config", "show"] + arguments.dropFirst()).output
    let setting = { (key: String) in
      try #require(
        shown.split(separator: "\n").first { $0.hasPrefix("\(key) = ") }?.split(separator: " ").dropFirst(2).first)
    }
    let drain = try #require(Int(setting("timeouts.drain").dropLast()))
    #expect(try pod("terminationGracePeriodSeconds", as: Int.self) > drain)
    let perConnection =
      try #require(Int(setting("limits.body"))) + 3 * #require(Int(setting("limits.header"))) + 128 * 1024
    let most = try 2 * #require(Int(setting("limits.connections"))) * perConnection + 64 * 1024 * 1024
    let limit: String = try pod("containers.0.resources.limits.memory")
    #expect(try #require(Int(limit.dropLast(2))) * 1024 * 1024 > most)
    #expect(try value("spec.replicas", in: objects["StatefulSet/revoked"]) == 1)
  }

  @Test func `it runs with as few rights as it needs, and nobody outside reaches the private listener`() throws {
    #expect(try pod("automountServiceAccountToken") == false)
    #expect(try pod("securityContext.runAsNonRoot") == true)
    #expect(try pod("securityContext.seccompProfile.type") == "RuntimeDefault")
    #expect(try pod("containers.0.securityContext.readOnlyRootFilesystem") == true)
    #expect(try pod("containers.0.securityContext.allowPrivilegeEscalation") == false)
    #expect(try pod("containers.0.securityContext.capabilities.drop") == ["ALL"])
    #expect(try value("spec.type", in: objects["Service/revoked-lookups"]) == "ClusterIP")
    let paths: [Object] = try value("spec.rules.0.http.paths", in: objects["Ingress/revoked-webhook"])
    #expect(paths.count == 1)
    #expect(try value("path", in: paths[0]) == "/webhooks/dynamic")
    #expect(try value("pathType", in: paths[0]) == "Exact")
    #expect(try value("backend.service.name", in: paths[0]) == "revoked-webhook")
    let policy = objects["NetworkPolicy/revoked"]
    #expect(try value("spec.policyTypes", in: policy) == ["Ingress", "Egress"])
    let rules: [Object] = try value("spec.ingress", in: policy)
    #expect(rules.count == 2 && rules.allSatisfy { $0["from"] != nil && $0["ports"] != nil })
  }

  @Test func `the command in its comment makes the alert rules an object for the Prometheus Operator`() throws {
    let text = try Recipe.text(of: "kubernetes/monitoring.yaml")
    let lines = text.split(separator: "\n").prefix { $0.hasPrefix("#") }.filter { $0.hasPrefix("#   ") }
    let command = try #require(
      lines.map { $0.dropFirst(4) }.joined(separator: "\n").split(separator: " | kubectl").first)
    let process = Executable.process(["-euc", String(command)], [:])
    process.executableURL = URL(filePath: "/bin/sh")
    process.currentDirectoryURL = Repository.root.appending(path: "Config/kubernetes")
    let result = try Executable.finish(process)
    let made = try Yams.compose(yaml: result.output)
    let rules = try Yams.compose(yaml: Recipe.text(of: "prometheus/revoked.rules.yml"))
    #expect(made?["kind"] == "PrometheusRule", "\(result.errors)")
    #expect(made?["spec"] == rules && rules != nil)
    let monitors = try Yams.load_all(yaml: text).compactMap { ($0 as? Object)?["kind"] as? String }
    #expect(monitors == ["ServiceMonitor"])
  }
}
