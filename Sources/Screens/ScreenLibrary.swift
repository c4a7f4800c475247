/// The screens and catalogs of a directory, read, linked and checked.
public struct ScreenLibrary: Sendable {
    /// The language of the pictures; the others have catalogs.
    public static let baseLanguage = "en"

    /// The screens by name.
    public private(set) var screens: [String: Screen] = [:]
    /// The catalogs by language.
    public private(set) var catalogs: [String: Catalog] = [:]
    /// What is wrong with the files; a library without any can be used.
    public private(set) var diagnostics: [ScreenDiagnostic] = []

    /// The languages that have a catalog, in order.
    public var languages: [String] { catalogs.keys.sorted() }

    /// Reads files by name; whatever they hold, this answers, and ``diagnostics`` says what is wrong.
    ///
    /// - Parameters:
    ///   - files: names ending in `.screen` or `.catalog`, and their text; others are left out
    ///   - isTrusted: leaves out the checks, for files that were checked when the program was built
    public static func load(files: [String: String], isTrusted: Bool = false) -> ScreenLibrary {
        var library = ScreenLibrary()
        library.read(files)
        if !isTrusted { library.checkScreens() }
        library.diagnostics.sort { ($0.file, $0.line, $0.text) < ($1.file, $1.line, $1.text) }
        return library
    }

    /// Reads files as bytes; one that is not UTF-8 is reported and left out.
    public static func load(files: [String: [UInt8]]) -> ScreenLibrary {
        var texts: [String: String] = [:]
        var broken: [ScreenDiagnostic] = []
        for (name, bytes) in files {
            if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) {
                texts[name] = text
            } else {
                broken.append(ScreenDiagnostic(file: name, line: 0, text: "is not UTF-8 text"))
            }
        }
        var library = load(files: texts)
        library.diagnostics = broken.sorted { $0.file < $1.file } + library.diagnostics
        return library
    }

    /// Draws a screen by name; an unknown name is drawn as a page that says so.
    public func render(_ name: String, size: GridSize, state: ScreenState, language: String) -> CellGrid {
        guard let screen = screens[name] else {
            var grid = CellGrid(size: size)
            grid.put("no screen \(name)", column: 0, row: 0, style: .reverse)
            return grid
        }
        return screen.render(size: size, state: state, language: language)
    }

    /// The variants of a catalog text, longest first, its placeholders filled; the key itself where there is none.
    public func text(_ key: String, _ arguments: [String: String] = [:], language: String) -> [String] {
        let variants = catalogs[language]?.texts[key] ?? catalogs[ScreenLibrary.baseLanguage]?.texts[key] ?? [key]
        return arguments.isEmpty ? variants : variants.map { Template.fill($0) { arguments[$0] } }
    }

    /// The keys of a screen and what they do, for its help page: columns `key` and `text`.
    public func help(for name: String, language: String) -> [ListRow] {
        (screens[name]?.keys ?? []).filter { !$0.label.isEmpty }.map { key in
            ListRow(["key": .text([key.name]), "text": .text(text(key.label, language: language))])
        }
    }

    private mutating func read(_ files: [String: String]) {
        var parsers: [ScreenParser] = []
        for (name, text) in files.sorted(by: { $0.key < $1.key }) {
            if name.hasSuffix(".catalog") {
                let language = String(name.dropLast(".catalog".count))
                let catalog = Catalog(language: language, file: name, text: text)
                diagnostics += catalog.diagnostics
                catalogs[language] = catalog
            } else if name.hasSuffix(".screen") {
                let parser = ScreenParser(file: name, text: text)
                diagnostics += parser.diagnostics
                parsers.append(parser)
            }
        }
        let common = parsers.filter(\.isCommon)
        for parser in parsers where !parser.isCommon && !parser.name.isEmpty { add(parser, common: common) }
        link()
        for name in screens.keys { screens[name]?.catalogs = catalogs }
    }

    private mutating func checkScreens() {
        for name in screens.keys.sorted() {
            guard let screen = screens[name] else { continue }
            var checks = ScreenChecks(screen, catalogs: catalogs)
            checks.run()
            diagnostics += checks.found
        }
    }

    private mutating func add(_ parser: ScreenParser, common: [ScreenParser]) {
        if let other = screens[parser.name] {
            diagnostics.append(
                ScreenDiagnostic(
                    file: parser.file, line: parser.nameLine,
                    text: "screen '\(parser.name)' is also in \(other.file)"))
            return
        }
        var screen = Screen(
            name: parser.name, file: parser.file, keys: parser.keys, scans: parser.scans, messages: parser.messages,
            layouts: parser.layouts, line: parser.nameLine)
        for other in common {
            screen.scans.merge(other.scans) { own, _ in own }
            screen.messages.merge(other.messages) { own, _ in own }
            for key in other.keys where !screen.keys.contains(where: { !Set($0.keys).isDisjoint(with: key.keys) }) {
                screen.keys.append(key)
            }
        }
        // Of two with as many cells the wider shows more, since rows can be stretched.
        screen.layouts.sort { ($0.size.area, $0.size.width) > ($1.size.area, $1.size.width) }
        screens[parser.name] = screen
    }

    /// Gives each layout that is drawn as another its rows and fields.
    private mutating func link() {
        for (name, screen) in screens {
            for (index, layout) in screen.layouts.enumerated() where !layout.shared.isEmpty {
                let other = screens[layout.shared]?.layouts.first { $0.size == layout.size && $0.shared.isEmpty }
                guard let other else {
                    diagnostics.append(
                        ScreenDiagnostic(
                            file: screen.file, line: layout.line,
                            text: "screen '\(layout.shared)' draws no \(layout.size) of its own"))
                    continue
                }
                screens[name]?.layouts[index].rows = other.rows
                screens[name]?.layouts[index].fields = other.fields
            }
        }
    }
}
