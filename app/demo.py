"""stub"""


def run_demo(*, port: int, once: bool) -> None: ...
