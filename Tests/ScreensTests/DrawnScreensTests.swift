import Foundation
import Screens
import Testing

/// The main screens were drawn by hand before any code was written; these are the drawings.
@Suite("The drawn screens")
struct DrawnScreensTests {
    static let names: [String] = {
        let directory = Shipped.tests.appendingPathComponent("Drawn").path
        return ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }()

    private static func drawing(_ name: String) throws -> [String] {
        let url = Shipped.tests.appendingPathComponent("Drawn").appendingPathComponent(name)
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    private static func rendered(_ name: String) throws -> [String] {
        let parts = name.split(separator: ".")
        let size = try #require(GridSize(parts[1]))
        let state = ScreenState(
            values: Samples.drawn(String(parts[0]), size: size),
            focus: parts[0] == "count" ? "count.expression" : nil,
            message: name == "bin.20x16.txt" ? ScreenMessage("stored") : nil)
        let grid = Shipped.library.render(String(parts[0]), size: size, state: state, language: "en")
        return grid.rows.map { "|\($0)|" }
    }

    @Test("are all there")
    func areThere() {
        #expect(DrawnScreensTests.names.count == 13)
    }

    @Test("are rendered row for row", arguments: names)
    func areRendered(name: String) throws {
        let drawing = try DrawnScreensTests.drawing(name)
        let rows = try DrawnScreensTests.rendered(name)
        if !drawing.contains(":") && name.contains("20x16") {
            #expect(rows == drawing)
            return
        }
        // Drawings of 80x24 leave rows out at ':'; what is drawn must follow one another, blank rows apart.
        var rest = rows[...]
        for row in drawing where row != ":" && row.contains(where: { $0 != " " && $0 != "|" }) {
            let found = rest.firstIndex(of: row)
            #expect(found != nil, "\(row)\nis not in\n\(rows.joined(separator: "\n"))")
            if let found { rest = rest[(found + 1)...] }
        }
    }
}

extension Samples {
    /// The samples, changed where a drawing shows another moment of the day.
    static func drawn(_ screen: String, size: GridSize) -> [String: FieldValue] {
        var values = values(for: screen)
        if screen == "floor", size.width == 20, case .rows(var zones) = values["floor.zones"] {
            for (index, bar) in ["#######!.", "####::..."].enumerated() {
                zones.rows[index].cells["strip"] = .strip(bar)
            }
            values["floor.zones"] = .rows(zones)
        }
        if screen == "bin", size.width == 20 { values["bin.notice"] = "Pick open: count what you see" }
        guard screen == "count", size.width == 80, case .rows(var lines) = values["bin.lines"] else { return values }
        lines.rows[0].cells["name"] = .text(["Filter 10\" blue, washable"])
        lines.rows[0].cells["quantity"] = .number("12")
        lines.rows[0].cells["who"] = "Bob"
        lines.rows[2].cells["quantity"] = .number("1")
        values["bin.lines"] = .rows(lines)
        return values
    }
}
