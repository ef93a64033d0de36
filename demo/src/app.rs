//! What a service answers to: `App::new(stand).get("/", read_results)`.
//!
//! A path operation is an async fn that takes the service's state and a request. Each is a type of
//! its own, so the table of routes holds them in boxes: the one place between a connection and the
//! read that it is parked on where a type is erased.

use std::pin::Pin;
use std::rc::Rc;

use crate::http::{Problem, Request, Response};

/// What a path operation gives.
pub(crate) type Answer = Result<Response, Problem>;

type Operation = Box<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Answer>>>>;

/// Methods that are known. Another one could be anything.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];

/// Collects the path operations of a service with the state `S`.
pub(crate) struct App<S> {
    state: Rc<S>,
    routes: Routes,
}

/// The path operations of a service. Its state is inside each of them.
pub(crate) struct Routes {
    table: Vec<Route>,
    /// Who may ask at all.
    guard: Guard,
}

type Guard = Box<dyn Fn(&Request) -> Result<(), Problem>>;

struct Route {
    method: &'static str,
    /// Such as `/burgers/{n}`.
    path: &'static str,
    operation: Operation,
}

impl<S: 'static> App<S> {
    pub(crate) fn new(state: S) -> App<S> {
        let routes = Routes { table: Vec::new(), guard: Box::new(|_| Ok(())) };
        App { state: Rc::new(state), routes }
    }

    /// Answers GET, and HEAD with it.
    pub(crate) fn get<F>(self, path: &'static str, operation: fn(Rc<S>, Request) -> F) -> App<S>
    where
        F: Future<Output = Answer> + 'static,
    {
        self.route("GET", path, operation)
    }

    pub(crate) fn post<F>(self, path: &'static str, operation: fn(Rc<S>, Request) -> F) -> App<S>
    where
        F: Future<Output = Answer> + 'static,
    {
        self.route("POST", path, operation)
    }

    fn route<F>(
        mut self,
        method: &'static str,
        path: &'static str,
        operation: fn(Rc<S>, Request) -> F,
    ) -> App<S>
    where
        F: Future<Output = Answer> + 'static,
    {
        let state = self.state.clone();
        let operation: Operation =
            Box::new(move |request| Box::pin(operation(state.clone(), request)));
        self.routes.table.push(Route { method, path, operation });
        self
    }

    pub(crate) fn into_routes(self) -> Routes {
        self.routes
    }
}

impl Routes {
    /// The same for those only whom `guard` lets in.
    pub(crate) fn guarded(
        self,
        guard: impl Fn(&Request) -> Result<(), Problem> + 'static,
    ) -> Routes {
        Routes { guard: Box::new(guard), ..self }
    }

    /// Finds the path operation and awaits it.
    pub(crate) async fn answer(&self, mut request: Request) -> Response {
        let answer = match self.find(&mut request) {
            Ok(operation) => operation(request).await,
            Err(problem) => Err(problem),
        };
        answer.unwrap_or_else(Response::from)
    }

    fn find(&self, request: &mut Request) -> Result<&Operation, Problem> {
        (self.guard)(request)?;
        if !METHODS.contains(&request.method.as_str()) {
            return Err(Problem::new(501, format!("nobody knows how to {}", request.method)));
        }
        let mut allowed = Vec::new();
        for route in &self.table {
            let Some(params) = params(route.path, &request.path) else { continue };
            if route.allows().contains(&request.method.as_str()) {
                request.params = params;
                return Ok(&route.operation);
            }
            allowed.extend_from_slice(route.allows());
        }
        match allowed.as_slice() {
            [] => Err(Problem::new(404, format!("there is nothing at {}", request.path))),
            allowed => Err(Problem::method_not_allowed(&request.method, allowed)),
        }
    }
}

impl Route {
    fn allows(&self) -> &[&'static str] {
        match self.method {
            "GET" => &["GET", "HEAD"],
            _ => std::slice::from_ref(&self.method),
        }
    }
}

/// What stands in the place of each `{name}` of the pattern; None if the path is another one.
fn params(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    let mut params = Vec::new();
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return Some(params),
            (Some(expected), Some(segment)) => {
                let segment = decode(segment)?;
                match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => params.push((name, segment)),
                    None if expected == segment => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

/// `%32` is `2`. None if it is not UTF-8.
fn decode(segment: &str) -> Option<String> {
    let mut parts = segment.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
