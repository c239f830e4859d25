// The target of an HTTP request: method, path and query, decoded.

/// Method, path and query of a request, percent-decoded.
package struct RequestTarget: Hashable, Sendable {
    /// Method as HTTP spells it.
    package var method: String
    /// Path, for example `/api/v3/depth`.
    package var path: String
    /// Names and values of the query, in order.
    package var parameters: [Parameter]

    /// A query parameter.
    package struct Parameter: Hashable, Sendable {
        /// Name.
        package var name: String
        /// Value, "" if it has none.
        package var value: String

        /// A parameter.
        package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    /// A target.
    package init(method: String = "GET", path: String, parameters: [Parameter] = []) {
        (self.method, self.path, self.parameters) = (method, path, parameters)
    }

    /// The value of a parameter; the first if it occurs more than once.
    func value(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
}
