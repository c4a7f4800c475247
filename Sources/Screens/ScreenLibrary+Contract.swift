extension ScreenLibrary {
    /// What is wrong with the files, and where they and an app's contract disagree.
    public func check(_ contract: ScreenContract) -> [ScreenDiagnostic] {
        var checks = ContractChecks(contract: contract, catalogs: catalogs)
        for name in screens.keys.sorted() {
            if let screen = screens[name] { checks.check(screen) }
        }
        for name in contract.screens.sorted() where screens[name] == nil {
            checks.found.append(ScreenDiagnostic(file: "\(name).screen", line: 0, text: "screen '\(name)' is missing"))
        }
        let declared = screens.values.reduce(into: Set<String>()) { $0.formUnion($1.messages.keys) }
        for id in contract.messages.sorted() where !declared.contains(id) && !screens.isEmpty {
            checks.found.append(
                ScreenDiagnostic(file: "common.screen", line: 0, text: "message '\(id)' is not declared"))
        }
        return diagnostics + checks.found
    }

    /// Everything that the files name, as the contract an app would need.
    public var vocabulary: ScreenContract {
        var contract = ScreenContract()
        for screen in screens.values {
            contract.screens.insert(screen.name)
            contract.actions.formUnion(screen.keys.map(\.action))
            contract.messages.formUnion(screen.messages.keys)
            contract.scans.formUnion(screen.scans.keys)
            for layout in screen.layouts {
                for field in layout.fields { contract.add(field, catalog: catalogs[ScreenLibrary.baseLanguage]) }
            }
        }
        return contract
    }
}

extension ScreenContract {
    fileprivate mutating func add(_ field: Field, catalog: Catalog?) {
        let names = (catalog?.texts[field.textKey] ?? []).flatMap { Template.names(in: $0) }
        let shown = field.flags.filter { $0.name == "show" }.map(\.value)
        for name in names + shown where bindings[name] == nil { bindings[name] = .value }
        guard !field.binding.isEmpty else { return }
        switch field.kind {
        case .list, .choice:
            var columns: Set<String> = [field.column]
            if case .list(let known)? = bindings[field.listBinding] { columns.formUnion(known) }
            bindings[field.listBinding] = .list(columns: columns)
        case .input: bindings[field.binding] = .input
        case .strip: bindings[field.binding] = .strip
        default: if bindings[field.binding] == nil { bindings[field.binding] = .value }
        }
    }
}

/// The checks of screens against an app.
private struct ContractChecks {
    let contract: ScreenContract
    let catalogs: [String: Catalog]
    var found: [ScreenDiagnostic] = []

    mutating func report(_ text: String, _ screen: Screen, at line: Int) {
        let diagnostic = ScreenDiagnostic(file: screen.file, line: line, text: text)
        if !found.contains(diagnostic) { found.append(diagnostic) }
    }

    mutating func check(_ screen: Screen) {
        for key in screen.keys where !contract.actions.contains(key.action) {
            report("unknown action '\(key.action)'", screen, at: key.line)
        }
        for (id, message) in screen.messages where !contract.messages.contains(id) {
            report("the app shows no message '\(id)'", screen, at: message.line)
        }
        for kind in screen.scans.keys.sorted() where kind != "any" && !contract.scans.contains(kind) {
            report("unknown kind of scan '\(kind)'", screen, at: screen.line)
        }
        for layout in screen.layouts where layout.shared.isEmpty {
            for field in layout.fields { check(field, screen) }
        }
    }

    private mutating func check(_ field: Field, _ screen: Screen) {
        for flag in field.flags {
            if flag.name == "show", contract.bindings[flag.value] == nil {
                report("field '\(field.tag)': unknown binding '\(flag.value)'", screen, at: field.line)
            }
            if flag.name == "scan" {
                for kind in flag.value.split(separator: ",") where !contract.scans.contains(String(kind)) {
                    report("field '\(field.tag)': unknown kind of scan '\(kind)'", screen, at: field.line)
                }
            }
        }
        if field.kind == .text || field.kind == .hint {
            for (language, catalog) in catalogs.sorted(by: { $0.key < $1.key }) {
                for name in (catalog.texts[field.textKey] ?? []).flatMap({ Template.names(in: $0) })
                where contract.bindings[name] == nil {
                    report(
                        "\(language): {\(field.textKey)} names the unknown binding '\(name)'", screen, at: field.line)
                }
            }
        }
        guard !field.binding.isEmpty else { return }
        let path = field.isColumn ? field.listBinding : field.binding
        guard let kind = contract.bindings[path] else {
            return report("field '\(field.tag)': unknown binding '\(path)'", screen, at: field.line)
        }
        switch (field.kind, kind) {
        case (.list, .list(let columns)), (.choice, .list(let columns)):
            if field.column != "number" && !columns.contains(field.column) {
                report("field '\(field.tag)': list '\(path)' has no column '\(field.column)'", screen, at: field.line)
            }
        case (.input, .input), (.strip, .strip), (.value, .value), (.value, .input), (.big, .value), (.big, .input),
            (.message, .value), (.hint, .value):
            break
        default:
            report("field '\(field.tag)': '\(path)' cannot be shown as \(field.kind.rawValue)", screen, at: field.line)
        }
    }
}
