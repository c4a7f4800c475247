import Foundation
import Screens

/// The screens and catalogs of this repository.
enum Shipped {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static let directory = tests.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
        "screens")

    static let files: [String: String] = {
        var files: [String: String] = [:]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        for name in names where name.hasSuffix(".screen") || name.hasSuffix(".catalog") {
            files[name] = try? String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
        }
        return files
    }()

    static let library = ScreenLibrary.load(files: files)
}
