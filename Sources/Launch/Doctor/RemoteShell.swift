import Files
import Foundation

/// The program that runs commands on other hosts, `ssh` or what `mpirun` uses in its place.
package struct RemoteShell: Equatable, Sendable {
  /// The program and its options.
  package let words: [String]

  package init(_ words: [String]) {
    self.words = words
  }

  /// The program that `mpirun` would use: that of `--mca plm_rsh_agent` in the environment, srun in a
  /// job of Slurm, or ssh.
  ///
  /// A colon separates alternatives, of which the first that exists is taken.
  package init(environment: [String: String]) {
    let names = ["OMPI_MCA_plm_rsh_agent", "OMPI_MCA_orte_rsh_agent", "OMPI_MCA_pls_rsh_agent"]
    let value = names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    let folders = environment["PATH"]?.split(separator: ":").map(String.init) ?? []
    func exists(_ name: String) -> Bool {
      let paths = name.contains("/") ? [name] : folders.map { FileSystem.join($0, name) }
      return paths.contains { FileManager.default.isExecutableFile(atPath: $0) }
    }
    if value == nil, environment["SLURM_JOB_ID"] != nil, exists("srun") {
      // The job's own steps hold its cores; one task on the host shares them.
      self.init(["srun", "--overlap", "--nodes=1", "--ntasks=1", "--quiet", "-w"])
      return
    }
    let choices = (value ?? "ssh").split(separator: ":").map {
      $0.split(separator: " ").map(String.init)
    }
    let found = choices.first { $0.first.map(exists) ?? false }
    let options = environment["OMPI_MCA_plm_rsh_args"]?.split(separator: " ").map(String.init)
    self.init((found ?? choices.first ?? ["ssh"]) + (options ?? []))
  }

  /// The seconds after which ssh gives up to connect.
  static let connectSeconds = 5

  private var isSSH: Bool { words.first?.split(separator: "/").last == "ssh" }
  private var isSrun: Bool { words.first?.split(separator: "/").last == "srun" }

  /// The exit codes of the command before the program starts.
  enum Missing {
    static let folder: Int32 = 91
    static let program: Int32 = 92
  }

  /// Returns the words that run `program` with `arguments` in `folder` on `host`.
  func command(on host: Host, folder: String, program: String, arguments: [String]) -> [String] {
    if host.isThisMachine { return [program] + arguments }
    // Never a question for a password or an unknown key, which would wait for ever.
    let options =
      isSSH
      ? ["-x", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=\(Self.connectSeconds)"] : []
    let line =
      "cd \(folder.quoted) || exit \(Missing.folder); "
      + "test -x \(program.quoted) || exit \(Missing.program); "
      + "exec \(([program] + arguments).map(\.quoted).joined(separator: " "))"
    // srun starts a program, and ssh a line of the shell.
    return words + options + [host.name] + (isSrun ? ["/bin/sh", "-c", line] : [line])
  }

  /// Returns why a probe gave no answer, as a finding.
  ///
  /// - Parameter outcome: Its end; nil when it was killed because it did not end.
  func finding(of outcome: Tool.Outcome?, host: Host, folder: String, program: String) -> Finding {
    let name = host.name
    func defect(_ what: String, _ remedy: String) -> Finding {
      Finding(
        .defect, [name], what, why: "no rank can be started there", remedy: remedy)
    }
    guard let outcome else {
      return defect(
        "no answer to \(words[0]) within the time",
        "\(words.joined(separator: " ")) \(name) true "
          + "shows where it waits")
    }
    let text = outcome.errors
    let cases: [(sign: String, what: String, remedy: String)] = [
      (
        "Could not resolve hostname", "its name has no address",
        "correct the hostfile, or add the host to /etc/hosts: getent hosts \(name) must print it"
      ),
      (
        "REMOTE HOST IDENTIFICATION HAS CHANGED", "its ssh key is another one than before",
        "if the host was installed anew: ssh-keygen -R \(name), then ssh-keyscan \(name) >> "
          + "~/.ssh/known_hosts"
      ),
      (
        "Host key verification failed", "its ssh key is unknown here",
        "ssh-keyscan \(name) >> ~/.ssh/known_hosts"
      ),
      (
        "Permission denied", "ssh asks for a password",
        "ssh-copy-id \(name) (ssh-keygen -t ed25519 first, without a passphrase)"
      ),
      (
        "Connection refused", "ssh is refused",
        "start its ssh server there: systemctl enable --now ssh"
      ),
      (
        "timed out", "ssh does not reach it within \(Self.connectSeconds) s",
        "switch it on, or open port 22 in the firewall: ping \(name)"
      ),
      (
        "No route to host", "no network leads to it",
        "check its cable, address and firewall: ip route get \(name)"
      ),
      (
        "error while loading shared libraries",
        "apus lacks a library there ("
          + (text.firstMatch(of: /lib[\w.+-]*\.so[\w.]*/).map { String($0.output) } ?? "unnamed")
          + ")",
        "run cluster/setup.sh on it"
      ),
    ]
    if let found = cases.first(where: { text.contains($0.sign) }) {
      return defect(found.what, found.remedy)
    }
    switch outcome.code {
    case Missing.folder:
      return defect(
        "the folder \(folder) is missing",
        "mount the shared folder there at the same path, or start from a folder that it has")
    case Missing.program:
      return defect(
        "\(program) is missing",
        "put the program at the same path on every host, best in a folder that all mount: "
          + "rsync -a \(program) \(name):\(program)")
    case 127:
      return defect("\(words[0]) is missing here", "apt-get install openssh-client")
    default:
      return defect(
        "\(words[0]) ends with code \(outcome.code) (\(outcome.lastError))",
        "\(words.joined(separator: " ")) \(name) true must end without an error")
    }
  }
}

extension String {
  /// The text as one word of a shell.
  var quoted: String {
    let plain = allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+=:,@%".contains($0))
    }
    return plain && !isEmpty ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
