import Basics
import Screens
import System

/// The screens the app shows: a site's own directory where it is whole, else those inside the program.
package struct AppScreens: Sendable {
    /// The screens in use.
    package private(set) var library: ScreenLibrary
    /// What is wrong with the directory's files; empty when they are in use.
    package private(set) var diagnostics: [ScreenDiagnostic]
    private let directory: String?
    private var stamp: [String: Int64]

    /// The screens inside the program.
    package static let shipped = ScreenLibrary.load(files: shippedScreenFiles)

    /// Reads a directory of screen files; without one takes those inside the program.
    ///
    /// A broken directory never stops a terminal: the shipped screens are used and ``diagnostics`` says why.
    ///
    /// - Throws: ``System/SystemError`` where the directory itself cannot be read.
    package static func load(directory: String?) throws -> AppScreens {
        guard let directory else {
            return AppScreens(
                library: shipped, diagnostics: shipped.check(AppContract.all), directory: nil, stamp: [:])
        }
        let (library, stamp) = try read(directory)
        let found = library.check(AppContract.all)
        return AppScreens(
            library: found.isEmpty ? library : shipped, diagnostics: found, directory: directory, stamp: stamp)
    }

    private static func read(_ directory: String) throws -> (ScreenLibrary, [String: Int64]) {
        var files: [String: [UInt8]] = [:]
        var stamp: [String: Int64] = [:]
        for name in try Files.list(directory) where name.hasSuffix(".screen") || name.hasSuffix(".catalog") {
            files[name] = try Files.read("\(directory)/\(name)")
            stamp[name] = Files.modified("\(directory)/\(name)")
        }
        return (ScreenLibrary.load(files: files), stamp)
    }

    /// Reads the directory again if a file of it changed; a broken change keeps the last good screens.
    ///
    /// - Returns: whether anything differs.
    package mutating func reloadIfChanged() -> Bool {
        guard let directory, let names = try? Files.list(directory) else { return false }
        var now: [String: Int64] = [:]
        for name in names where name.hasSuffix(".screen") || name.hasSuffix(".catalog") {
            now[name] = Files.modified("\(directory)/\(name)")
        }
        guard now != stamp, let (library, stamp) = try? AppScreens.read(directory) else { return false }
        self.stamp = stamp
        diagnostics = library.check(AppContract.all)
        if diagnostics.isEmpty { self.library = library }
        return true
    }

    /// How many screens and pictures are in use.
    package var summary: String {
        "\(library.screens.count) screens, languages \(library.languages.joined(separator: " "))"
    }
}

/// All that the app's screens may name: the counter's and the supervisor's together.
package enum AppContract {
    /// The union of both.
    package static var all: ScreenContract {
        var contract = CounterApp.contract
        let other = SupervisorApp.contract
        contract.bindings.merge(other.bindings) { own, _ in own }
        contract.actions.formUnion(other.actions)
        contract.messages.formUnion(other.messages)
        contract.screens.formUnion(other.screens)
        contract.scans.formUnion(other.scans)
        return contract
    }
}
