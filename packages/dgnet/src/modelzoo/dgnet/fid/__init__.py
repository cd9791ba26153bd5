"""The Frechet inception distance: pictures to features, features to mean and covariance, two of these to a number.

pictures       picture files below a folder into what a feature network takes
extractor      a feature network: its file into a session, pictures into features
inception/     the network of the published weights, loaded strictly, exported on the way
resize         TensorFlow's resize, for networks of a size of their own
statistics     features into mean and covariance, in constant memory
npz            arrays of an .npz that anybody may have written
stored         mean and covariance in a file
frechet        the distance
measure        two folders into the distance
"""
