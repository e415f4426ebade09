"""The comparison's results as one HTML file."""


def html(report):
    return "<html></html>"
